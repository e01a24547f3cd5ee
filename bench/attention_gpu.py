#!/usr/bin/env python3
"""fovea's attention on a GPU against every backend of PyTorch's, one table.

  python3 bench/attention_gpu.py [--lib build/libfovea.so] [--only WORD] [--rounds N] [--device cpu] [--quick]

Runs in any Python with the PyTorch that fovea was built for; libfovea_cuda.so lies beside libfovea.so. The peer of a row is the
fastest backend that takes the call, each forced, with what a model would pay for around it: masks, transposes, window
partitions. All take turns; both sides are replays of CUDA graphs of many calls over inputs that together outgrow the L2 cache,
medians; "eager" is the wall clock of calls without a graph. A row counts only if fovea's result is the formula's. With
`--device cpu --quick` the table is a test of this script: same code, small shapes, no graphs.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "mem-eff": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
# Relative L2 of a result, as the tests have it.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 1.5e-3, torch.bfloat16: 8e-3}


@dataclass
class Row:
    name: str
    batch: int
    heads: int
    n: int
    d: int
    must: float
    dtype: torch.dtype = torch.bfloat16
    backward: bool = True
    bias: bool = False  # [1, H, N, N], with its gradient
    lengths: bool = False
    sums: bool = False  # of the weights per key
    side: int = 0  # of an image in shifted 7 x 7 windows
    channels_first: bool = False  # SAGAN: d of values, d / 8 of queries and keys
    eager: bool = False  # the wall clock counts

    def small(self):
        return replace(self, batch=min(self.batch, 2), heads=min(self.heads, 2), side=min(self.side, 14),
                       n=self.n if self.n <= 64 else 96)

    def what(self):
        words = ["bias" if self.bias else "", "lengths" if self.lengths else "", "sums" if self.sums else "",
                 "fwd+bwd" if self.backward else "fwd"]
        return " ".join(word for word in words if word)


def rows():
    both = (torch.bfloat16, torch.float32)
    for dtype in both:
        yield Row("window 7x7", 8192, 3, 49, 32, 1.5, dtype, bias=True)
        yield Row("window 8x8", 4096, 3, 64, 32, 1.5, dtype, bias=True)
        yield Row("Swin-T 1st", 128, 3, 49, 32, 2.0, dtype, side=56)
        yield Row("Swin-T 3rd", 128, 12, 49, 32, 2.0, dtype, side=14)
        yield Row("window 7^3", 343, 3, 343, 16, 1.5 if dtype == torch.bfloat16 else 2.0, dtype, bias=True)
        yield Row("window 7^3", 343, 6, 343, 8, 1.5 if dtype == torch.bfloat16 else 2.0, dtype, bias=True)
    for backward in (False, True):
        yield Row("ViT 14x14+1", 256, 12, 197, 64, 1.0, backward=backward)
        yield Row("window 6^3", 256, 12, 216, 64, 1.0, backward=backward)
        yield Row("map 28x28", 32, 12, 784, 64, 0.85, backward=backward)
        yield Row("volume 12^3", 8, 12, 1728, 64, 0.85, backward=backward)
        yield Row("long, wide", 8, 16, 2048, 128, 0.8 if backward else 0.85, backward=backward)
        yield Row("SAGAN 64x64", 16, 1, 4096, 256, 2.0, backward=backward, channels_first=True)
        yield Row("report", 64, 12, 128, 64, 1.5, backward=backward, lengths=True)
        yield Row("report", 32, 12, 512, 64, 1.5, backward=backward, lengths=True)
    for n in (197, 343, 784):
        yield Row("learned bias", 32, 12, n, 64, 1.8, bias=True)
    yield Row("window 7x7", 8192, 3, 49, 32, 3.0, backward=False, sums=True)
    yield Row("ViT 14x14+1", 256, 12, 197, 64, 3.0, backward=False, sums=True)
    yield Row("patch 96^3", 343, 3, 343, 16, 1.5, bias=True, eager=True)


@dataclass
class Inputs:
    q: torch.Tensor
    k: torch.Tensor = None
    v: torch.Tensor = None
    bias: torch.Tensor = None
    lengths: torch.Tensor = None
    mask: torch.Tensor = None
    grad: torch.Tensor = None
    wanted: list = field(default_factory=list)  # gradients
    index: torch.Tensor = None  # of windows, into the table
    hidden: torch.Tensor = None


def draw(row, device):
    randn = lambda *size: torch.randn(*size, device=device, dtype=row.dtype)
    if row.side:
        channels = row.heads * row.d
        x = Inputs(q=randn(row.batch, row.side, row.side, 3 * channels), bias=randn(169, row.heads),
                   grad=randn(row.batch, row.side, row.side, channels))
        x.index, x.hidden = window_tables(row, device)
    elif row.channels_first:
        side = math.isqrt(row.n) if math.isqrt(row.n) ** 2 == row.n else 1
        grid = (side, row.n // side)
        x = Inputs(q=randn(row.batch, row.d // 8, *grid), k=randn(row.batch, row.d // 8, *grid),
                   v=randn(row.batch, row.d, *grid), grad=randn(row.batch, row.d, *grid))
    else:
        heads = lambda: randn(row.batch, row.n, row.heads, row.d).transpose(1, 2)
        x = Inputs(q=heads(), k=heads(), v=heads(), grad=heads())
        if row.bias:
            x.bias = randn(1, row.heads, row.n, row.n)
        if row.lengths:
            x.lengths = torch.randint(1, row.n + 1, (row.batch,), device=device)
            seen = torch.arange(row.n, device=device) < x.lengths.unsqueeze(1)
            x.mask = seen[:, None, None, :]
    x.wanted = [t for t in (x.q, x.k, x.v, x.bias) if t is not None]
    if row.backward:
        for t in x.wanted:
            t.requires_grad_()
    return x


# --- shifted windows as models write them ------------------------------------------------------------------------------------

WINDOW, SHIFT = 7, 3


def window_tables(row, device):
    i = torch.arange(WINDOW * WINDOW)
    apart = lambda t: t.unsqueeze(1) - t + WINDOW - 1
    index = (apart(i // WINDOW) * (2 * WINDOW - 1) + apart(i % WINDOW)).flatten()
    at = torch.arange(row.side)
    part = (at >= row.side - WINDOW).long() + (at >= row.side - SHIFT).long()
    n = row.side // WINDOW
    region = (part.unsqueeze(1) * 3 + part).view(n, WINDOW, n, WINDOW).transpose(1, 2).reshape(n * n, -1)
    hidden = torch.zeros(n * n, WINDOW * WINDOW, WINDOW * WINDOW).masked_fill(
        region.unsqueeze(1) != region.unsqueeze(2), -math.inf)
    return index.to(device), hidden.unsqueeze(1).to(device, row.dtype)


def rolled(row, x, inner):
    n, b = row.side // WINDOW, row.batch
    parts = (x.q.roll((-SHIFT, -SHIFT), (1, 2)).view(b, n, WINDOW, n, WINDOW, 3, row.heads, row.d)
             .permute(5, 0, 1, 3, 6, 2, 4, 7).reshape(3, b * n * n, row.heads, WINDOW * WINDOW, row.d))
    table = x.bias[x.index].view(WINDOW * WINDOW, WINDOW * WINDOW, row.heads).permute(2, 0, 1)
    out = inner(*parts, (table + x.hidden.to(table.dtype)).repeat(b, 1, 1, 1))
    return (out.view(b, n, n, row.heads, WINDOW, WINDOW, row.d).permute(0, 1, 4, 2, 5, 3, 6)
            .reshape(b, row.side, row.side, -1).roll((SHIFT, SHIFT), (1, 2)))


# --- the three ways ----------------------------------------------------------------------------------------------------------


def ours(row, x):
    ops = torch.ops.fovea
    if row.side:
        return ops.window_sdpa(x.q, x.bias, row.heads, [WINDOW, WINDOW], [SHIFT, SHIFT])
    if row.channels_first:
        return ops.spatial_sdpa(x.q, x.k, x.v)
    if row.sums:
        return ops.sdpa_fwd(x.q, x.k, x.v, None, None, None, None, None, 0.0, False, None, True, False)[0]
    return ops.sdpa(x.q, x.k, x.v, bias=x.bias, len_k=x.lengths)


def formula(row, x):
    def explicit(q, k, v, bias=None, scale=None, mask=None):
        scores = q @ k.transpose(-2, -1) * (scale or 1 / math.sqrt(q.size(-1)))
        if bias is not None:
            scores = scores + bias
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        return scores.softmax(-1) @ v

    if row.side:
        return rolled(row, x, explicit)
    if row.channels_first:
        return first(explicit(*(last(t) for t in (x.q, x.k, x.v)), scale=1.0), x.v)
    return explicit(x.q, x.k, x.v, x.bias, mask=x.mask)


def pytorch(row, x):
    attend = F.scaled_dot_product_attention
    if row.side:
        return rolled(row, x, lambda q, k, v, bias: attend(q, k, v, bias))
    if row.channels_first:
        return first(attend(last(x.q), last(x.k), last(x.v), scale=1.0), x.v)
    if row.sums:
        weights = (x.q @ x.k.transpose(-2, -1) / math.sqrt(row.d)).softmax(-1)
        return weights @ x.v + 0 * weights.sum(-2, dtype=torch.float32).sum().to(row.dtype)
    return attend(x.q, x.k, x.v, attn_mask=x.bias if row.bias else x.mask)


def last(t):
    return t.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()


def first(out, like):
    return out.squeeze(1).transpose(1, 2).reshape(like.shape)


# --- the clock ---------------------------------------------------------------------------------------------------------------


def step(row, way, x):
    if not row.backward:
        with torch.no_grad():
            return way(row, x)
    return torch.autograd.grad(way(row, x), x.wanted, x.grad)


class Contender:
    """One way, over all sets of inputs."""

    def __init__(self, row, way, backend, sets, device, calls):
        self.run_one = lambda x: step(row, way, x)
        self.backend, self.sets, self.calls, self.device = backend, sets, calls, device
        self.times, self.wall = [], []
        for _ in range(2):
            self.run_all(1)
        self.graph = None
        if device == "cuda" and not row.eager:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self.run_all(1)
            torch.cuda.current_stream().wait_stream(stream)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.run_all(calls)

    def run_all(self, calls):
        context = sdpa_kernel([self.backend]) if self.backend else torch.enable_grad()
        with context:
            for call in range(calls):
                self.run_one(self.sets[call % len(self.sets)])

    def seconds(self, run):
        if self.device == "cuda":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        run()
        if self.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / self.calls

    def measure(self):
        self.wall.append(self.seconds(lambda: self.run_all(self.calls)))
        self.times.append(self.seconds(self.graph.replay) if self.graph else self.wall[-1])


def contenders(row, sets, device, calls):
    fovea = Contender(row, ours, None, sets, device, calls)
    peers, refused = {}, []
    for name in BACKENDS:
        if row.sums and name != "math":
            continue
        if device == "cpu" and name in ("cudnn", "mem-eff"):
            continue
        try:
            peers[name] = Contender(row, pytorch, BACKENDS[name], sets, device, calls)
        except RuntimeError as error:  # "No available kernel", or what it says when it runs
            refused.append(f"{name}: {str(error).splitlines()[0][:60]}")
    return fovea, peers, refused


def off(row, x):
    """Relative L2 between fovea's result and the formula in the highest precision that the device has time for."""
    exact = Inputs(**{name: t.detach().double() if torch.is_tensor(t) and t.is_floating_point() else t
                      for name, t in x.__dict__.items()})
    count = min(2, row.batch)
    for t in ("q", "k", "v", "mask"):
        if getattr(exact, t) is not None:
            setattr(exact, t, getattr(exact, t)[:count])
    with torch.no_grad():
        wanted = formula(replace(row, batch=count), exact)
        found = ours(row, x)[:count].double()
    return ((found - wanted).norm() / wanted.norm()).item()


def gpu_state():
    query = "name,driver_version,clocks.sm,clocks.mem"
    try:
        return subprocess.run(["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"], capture_output=True,
                              text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no nvidia-smi"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lib", default=str(Path(__file__).resolve().parent.parent / "build" / "libfovea.so"))
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="small shapes, one round: a test of this script")
    return parser.parse_args()


def load(lib, device):
    torch.ops.load_library(lib)
    if device == "cuda":
        if not torch.cuda.is_available():
            sys.exit("attention_gpu.py: found no CUDA device; --device cpu --quick tests the script without one")
        torch.ops.fovea.open_cuda_kernels()
        torch.backends.cuda.matmul.allow_tf32 = True


def measured(row, options):
    device, tf32 = options.device, options.device == "cuda" and row.dtype == torch.float32
    torch.manual_seed(1)
    x = draw(row, device)
    size = sum(t.numel() * t.element_size() for t in x.wanted)
    count = 1 if options.quick else max(1, min(8, math.ceil((128 << 20) / size)))
    sets = [x] + [draw(row, device) for _ in range(count - 1)]
    error = off(row, x)
    calls = 1 if options.quick else max(count, 20)
    fovea, peers, refused = contenders(row, sets, device, calls)
    for _ in range(1 if options.quick else options.rounds):
        for contender in (fovea, *peers.values()):
            contender.measure()
    best = min(peers, key=lambda name: statistics.median(peers[name].times))
    time_of = lambda c: statistics.median(c.times)
    ratio = time_of(peers[best]) / time_of(fovea)
    wall = statistics.median(peers[best].wall) / statistics.median(fovea.wall)
    dtype = {torch.float32: "tf32" if tf32 else "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[row.dtype]
    shape = f"{row.batch},{row.heads},{row.side or row.n},{row.d}"
    print(f"{row.name:12} {shape:>16} {dtype:5} {row.what():16} {best:8} {time_of(peers[best]) * 1e6:10.1f} "
          f"{time_of(fovea) * 1e6:10.1f} {ratio:6.2f} {wall:6.2f} {row.must:5.2f}{' behind' if ratio < row.must else ''}",
          flush=True)
    for reason in refused:
        print(f"    {reason}")
    if error > (1e-3 if tf32 else TOLERANCE[row.dtype]):
        sys.exit(f"attention_gpu.py: {row.name} is {error:.2e} off the formula, relative L2")
    return ratio, row.must


def main():
    options = arguments()
    warnings.filterwarnings("ignore", message="(Flash|Mem|Cu|cuDNN|Expected|Both).*")  # why a backend refuses; printed below
    load(options.lib, options.device)
    print(f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {gpu_state()}")
    print(f"{'what':12} {'B,H,N or side,D':>16} {'dtype':5} {'asks for':16} {'peer':8} {'us':>10} {'fovea':>10} "
          f"{'ratio':>6} {'eager':>6} {'must':>5}")
    results = []
    for row in rows():
        if options.only in f"{row.name} {row.what()}":
            results.append(measured(row.small() if options.quick else row, options))
    if not results:
        sys.exit(f"attention_gpu.py: no row is called '{options.only}'")
    ratios = [ratio for ratio, _ in results]
    print(gpu_state())
    print(f"rows={len(ratios)} worst_ratio={min(ratios):.2f} geomean={statistics.geometric_mean(ratios):.2f} "
          f"behind={sum(ratio < must for ratio, must in results)}")


if __name__ == "__main__":
    main()
