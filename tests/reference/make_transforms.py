"""Writes transforms.json: images resized, rotated and moved by torchvision and torch.

Run with Python 3.11, torch 2.11.0, torchvision 0.26.0, numpy:
    python tests/reference/make_transforms.py
Every case holds its input, so that the reader needs no generator of random numbers.
"""

import json
import pathlib

import numpy
import torch
import torchvision
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

random = numpy.random.default_rng(7)


def image(*shape):
    """Values 0 to 255 with three decimals, float32."""
    return torch.tensor(numpy.round(random.uniform(0, 255, shape), 3), dtype=torch.float32)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": [round(float(v), 5) for v in tensor.flatten()]}


resize = []
for size, to in [((1, 23, 31), (7, 9)), ((2, 9, 12), (20, 33)), ((1, 30, 8), (11, 19)), ((1, 16, 16), (8, 8))]:
    for antialias in (True, False):
        source = image(*size)
        result = F.resize(source, list(to), interpolation=InterpolationMode.BILINEAR, antialias=antialias)
        resize.append({"antialias": antialias, "from": flat(source), "to": flat(result)})

volumes = []
for size, to in [((1, 3, 5, 4), (7, 9, 6)), ((2, 4, 3, 3), (5, 3, 8))]:
    source = image(*size)
    result = torch.nn.functional.interpolate(source[None], to, mode="trilinear", align_corners=False)[0]
    volumes.append({"from": flat(source), "to": flat(result)})

# torchvision fills the outside with 0 and turns counter-clockwise in rotate, clockwise in affine.
rotate = []
for degrees in (10, -33.5, 90):
    source = image(1, 15, 15)
    result = F.rotate(source, degrees, interpolation=InterpolationMode.BILINEAR)
    rotate.append({"degrees": degrees, "from": flat(source), "to": flat(result)})

affine = []
for degrees, translate, scale, shear in [(12, (2, -1), 1.2, 0), (-20, (0, 3), 0.8, 15), (0, (0, 0), 1, -25)]:
    source = image(1, 14, 20)
    result = F.affine(source, angle=-degrees, translate=translate, scale=scale, shear=[shear, 0],
                      interpolation=InterpolationMode.BILINEAR)
    affine.append({"degrees": degrees, "translate": translate, "scale": scale, "shear": shear,
                   "from": flat(source), "to": flat(result)})

path = pathlib.Path(__file__).with_name("transforms.json")
path.write_text(json.dumps({
    "made_with": {"torch": torch.__version__, "torchvision": torchvision.__version__},
    "resize": resize, "volumes": volumes, "rotate": rotate, "affine": affine}) + "\n")
