"""Names and shapes of the parameters and buffers of published architectures: names_<architecture>.csv.

Run with torch 2.11.0, torchvision 0.26.0 and timm 1.0.31:  python make_names.py
"""
import csv
import pathlib

import timm
import torchvision.models as models

HERE = pathlib.Path(__file__).parent

ARCHITECTURES = {
    "resnet18": lambda: models.resnet18(),
    "resnet34": lambda: models.resnet34(),
    "resnet50": lambda: models.resnet50(),
    "resnet101": lambda: models.resnet101(),
    "densenet121": lambda: models.densenet121(),
    "swin_t": lambda: models.swin_t(),
    "swin_s": lambda: models.swin_s(),
    "swin_b": lambda: models.swin_b(),
    "vit_tiny_patch16_224": lambda: timm.create_model("vit_tiny_patch16_224"),
    "vit_small_patch16_224": lambda: timm.create_model("vit_small_patch16_224"),
    "vit_base_patch16_224": lambda: timm.create_model("vit_base_patch16_224"),
    # pooled by the mean, without a class token
    "vit_tiny_mean": lambda: timm.create_model("vit_tiny_patch16_224", class_token=False, global_pool="avg"),
}

for name, make in ARCHITECTURES.items():
    with open(HERE / f"names_{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "shape"])
        for key, tensor in make().state_dict().items():
            writer.writerow([key, "x".join(map(str, tensor.shape)) or "scalar"])
