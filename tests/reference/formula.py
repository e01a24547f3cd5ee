"""Weights and inputs that follow a formula, the same as in tests/nn/formula.h."""
import numpy as np
import torch

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


def input_image(shape):
    u = uniform("input", int(np.prod(shape)))
    return torch.from_numpy(((2 * u - 1) * np.sqrt(3)).astype(np.float32).reshape(shape))
