"""A training step in Python PyTorch as its users write it: forward, cross-entropy, backward, Adam(W), loss.item().

  train_step.py MODEL MODE [STEPS]
  MODEL  resnet18_28: the ResNet-18 of MedMNIST (3x3 stem, no pooling), 28 px, batch 128
         resnet18_224: torchvision's, batch 32        vit_tiny_224: timm's vit_tiny_patch16_224, batch 32
         swin_tiny_224: torchvision's swin_t, batch 8
         lstm_text: 128 wide, both directions, packed, mean pooling, batch 32 of 64 to 256 words
         transformer_text: two pre-norm blocks of 128 channels and 4 heads, mean pooling, the same texts
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
    from torchvision.models import resnet18, swin_t

    if name == "swin_tiny_224":
        return swin_t(num_classes=2), (8, 3, 224, 224)
    model = resnet18(num_classes=2)
    if name == "resnet18_224":
        return model, (32, 3, 224, 224)
    model.conv1 = nn.Conv2d(1, 64, 3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model, (128, 1, 28, 28)


WORDS, LONGEST = 30000, 256


class Text(nn.Module):
    """Word vectors, an encoder, the mean over the words, a layer on it."""

    def __init__(self, recurrent):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 128, padding_idx=0)
        self.positions = None if recurrent else nn.Parameter(torch.randn(1, LONGEST, 128) * 0.02)
        if recurrent:
            self.encoder = nn.LSTM(128, 128, batch_first=True, bidirectional=True)
        else:
            layer = nn.TransformerEncoderLayer(128, 4, 512, 0.1, "gelu", batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(128), enable_nested_tensor=False)
        self.head = nn.Linear(256 if recurrent else 128, 2)

    def forward(self, batch):
        ids, lengths = batch
        mask = torch.arange(ids.size(1)) < lengths[:, None]
        x = self.embedding(ids)
        if self.positions is None:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            x = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True)[0]
        else:
            x = self.encoder(x + self.positions[:, : ids.size(1)], src_key_padding_mask=~mask)
        return self.head((x * mask[:, :, None]).sum(1) / lengths[:, None])


def texts(count):
    lengths = torch.tensor([64 + i * 37 % 193 for i in range(count)])
    ids = torch.randint(1, WORDS, (count, int(lengths.max())))
    return ids * (torch.arange(ids.size(1)) < lengths[:, None]), lengths


def main():
    name, mode = sys.argv[1], sys.argv[2]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    torch.manual_seed(1)
    if name.endswith("_text"):
        model, sizes = Text(name == "lstm_text"), (32,)
        images = texts(sizes[0])
    else:
        model, sizes = build(name, mode)
        images = torch.randn(sizes)
    model.train()
    labels = torch.randint(0, 2, (sizes[0],))
    if mode != "fp32" and not name.endswith("_text"):
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
