"""Outputs and gradients of PyTorch's recurrent networks on packed cases and of its Transformer layer under a mask, in
double precision -> sequences.json. Weights, inputs and the weights of the loss follow formula.py.

Run with torch 2.11.0 and numpy:  python make_sequences.py
"""
import json
import pathlib

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from formula import values

LENGTHS = torch.tensor([3, 5, 2])
SEEN = torch.arange(5)[None] < LENGTHS[:, None]


def flat(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().flatten().tolist()]


def fill(module, names):
    module.double()
    with torch.no_grad():
        for theirs, parameter in module.named_parameters():
            parameter.copy_(values(names(theirs), tuple(parameter.shape)))


def case(module, names, x, output, **more):
    (output * values("loss", tuple(output.shape)).double()).sum().backward()
    return dict(output=flat(output), input=flat(x.grad),
                gradients={names(name): flat(p.grad) for name, p in module.named_parameters()}, **more)


def recurrent(layer):
    module = layer(4, 3, num_layers=2, bidirectional=True, batch_first=True)
    names = "rnn.{}".format
    fill(module, names)
    x = values("x", (3, 5, 4)).double().requires_grad_()
    packed, last = module(pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False))
    last = last[0] if isinstance(last, tuple) else last
    output = pad_packed_sequence(packed, batch_first=True, total_length=5)[0]
    return case(module, names, x, output, last=flat(torch.cat([last[-2], last[-1]], 1)))


OURS = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj": "attn.proj", "linear1": "mlp.fc1", "linear2": "mlp.fc2"}


def block_name(theirs):
    for their, our in OURS.items():
        theirs = theirs.replace(their, our)
    return "0." + theirs


def transformer(norm_first):
    module = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0, activation="gelu", batch_first=True,
                                              norm_first=norm_first)
    fill(module, block_name)
    x = values("x", (3, 5, 8)).double().requires_grad_()
    return case(module, block_name, x, module(x, src_key_padding_mask=~SEEN) * SEEN[:, :, None])


cases = dict(lstm=recurrent(torch.nn.LSTM), gru=recurrent(torch.nn.GRU), rnn=recurrent(torch.nn.RNN),
             post=transformer(False), pre=transformer(True))
text = json.dumps(cases, separators=(",", ":")).replace('],"', '],\n"').replace("},", "},\n")
(pathlib.Path(__file__).parent / "sequences.json").write_text(text + "\n")
