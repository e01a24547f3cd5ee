"""What torchvision's and timm's encoders give for weights and inputs that follow a formula: encoder_outputs.csv,
and timm's interpolation of a position embedding: pos_embed_8x8.csv.

The formula (formula.py) is also in tests/nn/formula.h, so no weights are stored. The numbers are float32; a case's
row holds its first 32 pooled features.

Run with torch 2.11.0, torchvision 0.26.0 and timm 1.0.31:  python make_encoders.py
"""
import csv
import pathlib

import timm
import torch
import torchvision.models as models
from timm.layers import resample_abs_pos_embed

from formula import input_image, values

HERE = pathlib.Path(__file__).parent


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
    # sides that neither windows nor merged patches divide
    "swin_t": (without("head", models.swin_t()), (2, 3, 190, 118)),
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
        model.load_state_dict({key: old if key.endswith("relative_position_index") else values(key, tuple(old.shape))
                               for key, old in model.state_dict().items()})
        with torch.inference_mode():
            pooled = model.eval()(input_image(shape))
        for case, row in enumerate(pooled[:, :32].tolist()):
            writer.writerow([name, case, *(f"{value:.8g}" for value in row)])

with open(HERE / "pos_embed_8x8.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(range(12))
    stored = values("pos_embed", (1, 1 + 14 * 14, 12))
    for row in resample_abs_pos_embed(stored, [8, 8], num_prefix_tokens=1, antialias=True)[0].tolist():
        writer.writerow([f"{value:.8g}" for value in row])
