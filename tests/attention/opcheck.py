#!/usr/bin/env python3
"""The attention operators as PyTorch sees them: schemas, FakeTensor, autograd and tracing (torch.library.opcheck).

  opcheck.py LIBFOVEA

In the environment of tests/support/in_bench_env.py.
"""

import re
import sys
from pathlib import Path

import torch

torch.set_num_threads(1)
torch.manual_seed(1)
torch.ops.load_library(sys.argv[1])
ops = torch.ops.fovea


def tensor(*sizes, dtype=torch.float32, grad=True):
    return torch.randn(*sizes, dtype=torch.float64).to(dtype).requires_grad_(grad)


def qkv(dtype=torch.float32):
    return tensor(2, 3, 5, 8, dtype=dtype), tensor(2, 3, 7, 8, dtype=dtype), tensor(2, 3, 7, 4, dtype=dtype)


def merged(dtype=torch.float32):
    """[batch, heads, positions, channels] as views of what a Linear layer writes, and channels first."""
    q, k = (tensor(2, n, 24, dtype=dtype, grad=False).unflatten(2, (3, 8)).transpose(1, 2) for n in (5, 7))
    v = tensor(2, 3, 4, 7, dtype=dtype, grad=False).transpose(2, 3)
    return [t.requires_grad_() for t in (q, k, v)]


mask = torch.rand(2, 1, 5, 7) < 0.7
lengths = torch.tensor([5, 3]), torch.tensor([7, 4], dtype=torch.int32)
rng = torch.tensor([1, 0])
absent = [None] * 5
calls = {
    "sdpa_fwd": [
        (*qkv(), *absent, 0.0, False, None, False, False),
        (*merged(torch.bfloat16), tensor(1, 3, 5, 7), mask, *lengths, None, 0.0, True, 0.5, True, True),
        (*qkv(torch.float64), tensor(1, 3, 1, 7, dtype=torch.float64), None, None, None, rng, 0.4, False, None, False,
         True),
        (*qkv(torch.float16), tensor(2, 1, 5, 7, dtype=torch.float16), *absent[1:], 0.0, False, None, True, False),
    ],
    "window_sdpa_fwd": [
        (tensor(2, 5, 6, 24), tensor(15, 2), None, 2, [3, 2], [1, 0], 0.0, None, True, True),
        (tensor(2, 7, 24, dtype=torch.bfloat16), None, rng, 2, [3], [1], 0.3, 0.5, False, False),
        (tensor(1, 2, 3, 4, 12, dtype=torch.float64), tensor(105, 2, dtype=torch.float64), None, 2, [], [], 0.0, None,
         False, False),
    ],
    "sdpa": [
        (qkv(), dict(bias=tensor(1, 1, 5, 7), mask=mask, causal=True)),
        (qkv(torch.bfloat16), dict(len_q=lengths[0], len_k=lengths[1], scale=0.3)),
    ],
    "window_sdpa": [((tensor(2, 6, 6, 24), tensor(25, 2), 2, [3, 3], [1, 1]), {})],
    "spatial_sdpa": [
        ((tensor(2, 8, 4, 5), tensor(2, 8, 3), tensor(2, 6, 3)), dict(heads=2)),
        ([tensor(2, 8, 3, 3, grad=False).to(memory_format=torch.channels_last).requires_grad_() for _ in range(3)], {}),
    ],
    "draw_rng": [((tensor(2, 3),), {})],
}
# Each call draws another mask, and these tests compare two of them.
random = {"draw_rng": ("test_schema", "test_autograd_registration", "test_faketensor")}

for name, samples in calls.items():
    for sample in samples:
        args, kwargs = sample if len(sample) == 2 and isinstance(sample[1], dict) else (sample, {})
        tests = random.get(name, torch.library._OPCHECK_DEFAULT_UTILS)
        # Traced, a gradient may come in another layout; in bf16 the kernel for it rounds elsewhere.
        bound = dict(atol=0.02, rtol=0.02) if args[0].dtype == torch.bfloat16 else {}
        torch.library.opcheck(getattr(ops, name).default, tuple(args), kwargs, test_utils=tests, **bound)
    print(f"opcheck {name}: {len(samples)} calls")

double = [t.detach()[:1, :2].requires_grad_() for t in qkv(torch.float64)]
bias = tensor(1, 1, 5, 7, dtype=torch.float64)
assert torch.autograd.gradcheck(
    lambda q, k, v, bias: ops.sdpa(q, k, v, bias=bias, len_k=lengths[1][1:]), (*double, bias))
assert torch.autograd.gradcheck(
    lambda q, k, v: ops.sdpa_fwd(q, k, v, *absent[1:], rng, 0.4, False, None, False, False)[0], double)
window = tensor(1, 5, 4, 12, dtype=torch.float64), tensor(9, 2, dtype=torch.float64)
assert torch.autograd.gradcheck(lambda qkv, table: ops.window_sdpa(qkv, table, 2, [2, 2], [1, 0]), window)
maps = [tensor(1, 4, 3, 2, dtype=torch.float64) for _ in range(3)]
assert torch.autograd.gradcheck(lambda q, k, v: ops.spatial_sdpa(q, k, v, heads=2), maps)
print("gradcheck: sdpa, sdpa_fwd with dropout, window_sdpa, spatial_sdpa")


class Layer(torch.nn.Module):
    def forward(self, qkv, table):
        return ops.window_sdpa(qkv, table, 2, [3, 3], [1, 1])


exported = torch.export.export(Layer(), (tensor(2, 6, 6, 24, grad=False), tensor(25, 2, grad=False)),
                               dynamic_shapes=({0: torch.export.Dim("batch")}, None))
x, table = tensor(5, 6, 6, 24, grad=False), tensor(25, 2, grad=False)
assert torch.equal(exported.module()(x, table), ops.window_sdpa(x, table, 2, [3, 3], [1, 1]))
print("torch.export: window_sdpa with any batch")

readme = (Path(__file__).parents[2] / "README.md").read_text()
for block in re.findall(r"```python\n(.*?)```", readme, re.S):
    exec(block.replace("build/libfovea.so", sys.argv[1]), {})
    print("the README's lines of Python")
