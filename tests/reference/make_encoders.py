"""What torchvision's and timm's encoders give for weights and inputs that follow a formula: encoder_outputs.csv,
and timm's interpolation of a position embedding: pos_embed_8x8.csv.

The formula is also in tests/nn/formula.h, so no weights are stored. The numbers are float32; a case's row holds its
first 32 pooled features.

Run with torch 2.11.0, torchvision 0.26.0 and timm 1.0.31:  python make_encoders.py
"""
import csv
import pathlib

import numpy as np
import timm
import torch
import torchvision.models as models
from timm.layers import resample_abs_pos_embed

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(name, count):
    """splitmix64 of (hash of the name + index), top 24 bits: in [0, 1)."""
    with np.errstate(over="ignore"):
        x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(fnv1a(name))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float64) * 2.0**-24


def values(name, shape):
    count = int(np.prod(shape, dtype=np.int64))
    u = uniform(name, count)
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if len(shape) > 1:
        result = (2 * u - 1) * np.sqrt(3 * 2 / (count / shape[0]))
    elif name.endswith("weight") or name.endswith("running_var"):
        result = 0.5 + u
    else:
        result = 0.1 * (2 * u - 1)
    return torch.from_numpy(result.astype(np.float32).reshape(shape))


def picture(shape):
    u = uniform("input", int(np.prod(shape)))
    return torch.from_numpy(((2 * u - 1) * np.sqrt(3)).astype(np.float32).reshape(shape))


def small_stem(model):
    model.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    model.maxpool = torch.nn.Identity()
    return model


def without(name, model):
    setattr(model, name, torch.nn.Identity())
    return model


CASES = {
    "resnet18": (without("fc", models.resnet18()), (2, 3, 65, 47)),
    "resnet18_small": (without("fc", small_stem(models.resnet18())), (2, 3, 28, 28)),
    "resnet50": (without("fc", models.resnet50()), (2, 3, 64, 64)),
    "densenet121": (without("classifier", models.densenet121()), (2, 3, 70, 64)),
    "vit_tiny_patch16_224": (timm.create_model("vit_tiny_patch16_224", num_classes=0), (2, 3, 224, 224)),
    "vit_tiny_mean": (
        timm.create_model("vit_tiny_patch16_224", num_classes=0, class_token=False, global_pool="avg", img_size=96),
        (2, 3, 96, 96),
    ),
}

with open(HERE / "encoder_outputs.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["encoder", "case", *range(32)])
    for name, (model, shape) in CASES.items():
        model.load_state_dict({key: values(key, tuple(old.shape)) for key, old in model.state_dict().items()})
        with torch.inference_mode():
            pooled = model.eval()(picture(shape))
        for case, row in enumerate(pooled[:, :32].tolist()):
            writer.writerow([name, case, *(f"{value:.8g}" for value in row)])

with open(HERE / "pos_embed_8x8.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(range(12))
    stored = values("pos_embed", (1, 1 + 14 * 14, 12))
    for row in resample_abs_pos_embed(stored, [8, 8], num_prefix_tokens=1, antialias=True)[0].tolist():
        writer.writerow([f"{value:.8g}" for value in row])
