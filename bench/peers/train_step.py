"""A training step in Python PyTorch as its users write it: forward, cross-entropy, backward, Adam(W), loss.item().

  train_step.py MODEL MODE [STEPS]
  MODEL  resnet18_28: the ResNet-18 of MedMNIST (3x3 stem, no pooling), 28 px, batch 128
         resnet18_224: torchvision's, batch 32        vit_tiny_224: timm's vit_tiny_patch16_224, batch 32
  MODE   fp32 | channels_last | bf16 | bf16_fused     each includes the one before; fused is the optimizer's switch
         bf16_written                                 vit only: attention as the formula, without the fused operator
"""

import sys
import time

import torch
from torch import nn

from protocol import serve


def build(name, mode):
    """The model and the sizes of a batch."""
    if name == "vit_tiny_224":
        import timm

        timm.layers.set_fused_attn(mode != "bf16_written")
        return timm.create_model("vit_tiny_patch16_224", num_classes=2), (32, 3, 224, 224)
    from torchvision.models import resnet18

    model = resnet18(num_classes=2)
    if name == "resnet18_224":
        return model, (32, 3, 224, 224)
    model.conv1 = nn.Conv2d(1, 64, 3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model, (128, 1, 28, 28)


def main():
    name, mode = sys.argv[1], sys.argv[2]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    torch.manual_seed(1)
    model, sizes = build(name, mode)
    model.train()
    images = torch.randn(sizes)
    labels = torch.randint(0, 2, (sizes[0],))
    if mode != "fp32":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=mode in ("bf16_fused", "bf16_written"))
    half = mode.startswith("bf16")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def measure():
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return steps * sizes[0] / (time.perf_counter() - start)

    step()
    step()
    serve(measure)


if __name__ == "__main__":
    main()
