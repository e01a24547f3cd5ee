"""Losses and their gradients by PyTorch in double precision -> losses.json.

    pip install torch==2.11.0 numpy; python tests/reference/make_losses.py

Focal losses are written out as in Lin et al. 2017, equations 4 and 5.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(1)
D = torch.float64
cases = []


def add(name, kind, settings, logits, targets, loss):
    logits = logits.clone().requires_grad_()
    value = loss(logits)
    value.backward()
    flat = targets.to(D).flatten().tolist()
    cases.append(dict(name=name, kind=kind, settings=settings, logits=logits.detach().flatten().tolist(),
                      shape=list(logits.shape), soft=targets.is_floating_point(),
                      targets=[None if t != t else t for t in flat],
                      value=value.item(), gradient=logits.grad.flatten().tolist()))


n, k = 6, 3
x = torch.randn(n, k, dtype=D) * 2
hard = torch.tensor([0, 2, 1, 1, 0, 2])
soft = F.one_hot(hard, k).to(D) * 0.7 + F.one_hot(hard.flip(0), k).to(D) * 0.3
w = torch.tensor([0.5, 2.0, 1.25], dtype=D)
for smoothing in (0.0, 0.1):
    for weight in (None, w):
        s = dict(label_smoothing=smoothing, class_weights=weight.tolist() if weight is not None else [])
        for t in (hard, soft):
            add("cross_entropy", "classes", s, x, t,
                lambda z: F.cross_entropy(z, t, weight=weight, label_smoothing=smoothing))

labels = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]], dtype=D)
holes = labels.clone()
holes[0, 1] = holes[3, 0] = holes[5, 2] = float("nan")


def masked(cells, t):
    known = ~t.isnan()
    return cells[known].mean()


for weight in (None, w):
    s = dict(pos_weight=weight.tolist() if weight is not None else [])
    for t in (labels, holes):
        add("bce", "labels", s, x, t, lambda z: masked(
            F.binary_cross_entropy_with_logits(z, t.nan_to_num(0), pos_weight=weight, reduction="none"), t))

for gamma in (0.0, 0.5, 2.0):
    for alpha in ([], [0.25]):
        s = dict(gamma=gamma, alpha=alpha)

        def labels_loss(z, t=holes, a=alpha):
            p = torch.sigmoid(z)
            pt = torch.where(t == 1, p, 1 - p)
            at = torch.where(t == 1, a[0], 1 - a[0]) if a else 1
            return masked(-at * (1 - pt) ** gamma * torch.log(pt), t)

        add("focal", "labels", s, x, holes, labels_loss)
    for alpha in ([], [0.2, 0.5, 0.9]):
        s = dict(gamma=gamma, alpha=alpha)

        def classes_loss(z, a=alpha):
            pt = torch.softmax(z, 1).gather(1, hard[:, None])[:, 0]
            at = torch.tensor(a, dtype=D)[hard] if a else 1
            return (-at * (1 - pt) ** gamma * torch.log(pt)).mean()

        add("focal", "classes", s, x, hard, classes_loss)

out = pathlib.Path(__file__).with_name("losses.json")
out.write_text(json.dumps(dict(torch=torch.__version__, cases=cases), indent=0) + "\n")
