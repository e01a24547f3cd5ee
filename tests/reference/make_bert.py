"""A small BERT with random weights and what it says: bert.safetensors, bert.json; and the names of BERT base:
names_bert_base.csv.

Run with torch 2.11.0 and transformers 5.23.0:  python make_bert.py
"""
import csv
import json
import pathlib

import safetensors.torch
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel

HERE = pathlib.Path(__file__).parent

torch.manual_seed(0)
config = BertConfig(vocab_size=23, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
                    max_position_embeddings=9, attn_implementation="eager")
model = BertModel(config).eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():  # norms and biases that could be told from their defaults
        parameter.copy_(torch.randn_like(parameter) * 0.3 + (1 if name.endswith("LayerNorm.weight") else 0))
    ids = torch.tensor([[2, 5, 7, 22, 3, 0, 0], [2, 11, 12, 13, 14, 15, 3], [2, 3, 0, 0, 0, 0, 0]])
    lengths = [5, 7, 2]
    mask = (torch.arange(7)[None] < torch.tensor(lengths)[:, None]).long()
    out = model(ids, attention_mask=mask, output_attentions=True)
safetensors.torch.save_file({k: v.contiguous() for k, v in model.state_dict().items()}, HERE / "bert.safetensors")
json.dump(
    {
        "ids": ids.tolist(),
        "lengths": lengths,
        "tokens": out.last_hidden_state.tolist(),
        "pooled": out.pooler_output.tolist(),
        "first_row": out.attentions[-1].mean(1)[:, 0].tolist(),
    },
    open(HERE / "bert.json", "w"))

with torch.device("meta"):
    base = BertModel(BertConfig())
    masked = BertForMaskedLM(BertConfig())
with open(HERE / "names_bert_base.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["name", "shape"])
    for key, tensor in base.state_dict().items():
        writer.writerow([key, "x".join(map(str, tensor.shape)) or "scalar"])
print([k for k in masked.state_dict() if not k.startswith("bert.")])
