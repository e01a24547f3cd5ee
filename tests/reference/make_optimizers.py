"""Ten steps of each optimizer, the rates of each schedule, and a dynamic loss scale, by PyTorch -> optimizers.json.

    pip install torch==2.11.0 numpy; python tests/reference/make_optimizers.py
"""
import json
import pathlib

import torch
from torch.optim import SGD, Adam, AdamW, RMSprop, lr_scheduler as S

torch.manual_seed(2)
start = torch.randn(3, 4, 2, 2)
gradients = [torch.randn(3, 4, 2, 2) * (0.1 + i) for i in range(10)]

steps = []
for name, make, settings in (
        ("sgd", SGD, dict(lr=0.05, momentum=0.0, weight_decay=0.0)),
        ("sgd", SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.01)),
        ("sgd", SGD, dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
        ("adam", Adam, dict(lr=0.02, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)),
        ("adam", Adam, dict(lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1)),
        ("adamw", AdamW, dict(lr=0.02, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
        ("rmsprop", RMSprop, dict(lr=0.01, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0)),
        ("rmsprop", RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-8, momentum=0.9, weight_decay=0.01))):
    p = start.clone().requires_grad_()
    optimizer = make([p], foreach=False, **settings)
    trace = []
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
        trace.append(p.detach().flatten().tolist())
    steps.append(dict(name=name, settings=settings, trace=trace))

# Two parameters of one group, of which the second gets a gradient in some of the steps only, as that of an input that few
# cases have.
reached = [0, 0, 1, 0, 1, 1, 0, 0, 0, 1]
skips = []
for one in steps:
    make = dict(sgd=SGD, adam=Adam, adamw=AdamW, rmsprop=RMSprop)[one["name"]]
    p, q = start.clone().requires_grad_(), start.clone().requires_grad_()
    optimizer = make([p, q], foreach=False, **one["settings"])
    trace = []
    for g, both in zip(gradients, reached):
        p.grad = g.clone()
        q.grad = g.clone() if both else None
        optimizer.step()
        trace.append(q.detach().flatten().tolist())
    skips.append(dict(name=one["name"], settings=one["settings"], trace=trace))

E, N = 8, 5  # epochs, steps in each


def rates(make, per_epoch=None):
    p = torch.zeros(1, requires_grad=True)
    optimizer = SGD([p], lr=1.0)
    schedule = make(optimizer)
    trace = []
    for step in range(E * N):
        trace.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if per_epoch is None:
            schedule.step()
        elif (step + 1) % N == 0:
            schedule.step(per_epoch[(step + 1) // N - 1])
    return trace


def warm(w):
    return lambda o: S.LinearLR(o, start_factor=1 / (w + 1), total_iters=w)


def sequence(w, make):
    return lambda o: S.SequentialLR(o, [warm(w)(o), make(o)], milestones=[w])


values = [0.5, 0.7, 0.7, 0.69, 0.71, 0.7, 0.7, 0.7]
schedules = [
    dict(name="constant", settings=dict(warmup=2), rates=rates(warm(2 * N))),
    dict(name="step", settings=dict(every=2, factor=0.5), rates=rates(lambda o: S.StepLR(o, 2 * N, 0.5))),
    dict(name="step", settings=dict(every=3, factor=0.5, warmup=1),
         rates=rates(lambda o: S.ChainedScheduler([warm(N)(o), S.StepLR(o, 3 * N, 0.5)], optimizer=o))),
    dict(name="multi_step", settings=dict(at=[2, 6], factor=0.1),
         rates=rates(lambda o: S.MultiStepLR(o, [2 * N, 6 * N], 0.1))),
    dict(name="cosine", settings=dict(), rates=rates(lambda o: S.CosineAnnealingLR(o, E * N))),
    dict(name="cosine", settings=dict(floor=0.1, warmup=2),
         rates=rates(sequence(2 * N, lambda o: S.CosineAnnealingLR(o, (E - 2) * N, eta_min=0.1)))),
    dict(name="plateau", settings=dict(factor=0.5, patience=1, threshold=1e-4), figures=values, higher=True,
         rates=rates(lambda o: S.ReduceLROnPlateau(o, "max", factor=0.5, patience=1, threshold=1e-4), values)),
    dict(name="plateau", settings=dict(factor=0.1, patience=0, threshold=0.1, cooldown=1, floor=0.05),
         figures=[1 - f for f in values], higher=False,
         rates=rates(lambda o: S.ReduceLROnPlateau(o, "min", factor=0.1, patience=0, threshold=0.1, cooldown=1,
                                                   min_lr=0.05), [1 - f for f in values])),
]


def one_cycle():
    # The scheduler refuses to be asked after its last step, so the last advance is left out.
    p = torch.zeros(1, requires_grad=True)
    optimizer = SGD([p], lr=1.0)
    schedule = S.OneCycleLR(optimizer, 1.0, total_steps=E * N, pct_start=0.3, div_factor=25, final_div_factor=1e4,
                            cycle_momentum=False)
    trace = []
    for step in range(E * N):
        trace.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < E * N:
            schedule.step()
    return trace


schedules.append(dict(name="one_cycle", settings=dict(rise=0.3, start=0.04, end=4e-6), rates=one_cycle()))

# The dynamic loss scale: 1 where a gradient of that step is infinite.
overflow = [0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=3)
p = torch.zeros(2, requires_grad=True)
optimizer = SGD([p], lr=1.0)
scales = []
for bad in overflow:
    optimizer.zero_grad()
    scaler.scale((p * torch.tensor([1.0, float("inf") if bad else 1.0])).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    scales.append(scaler.get_scale())

out = pathlib.Path(__file__).with_name("optimizers.json")
out.write_text(json.dumps(dict(
    torch=torch.__version__, start=start.flatten().tolist(), gradients=[g.flatten().tolist() for g in gradients],
    steps=steps, reached=reached, skips=skips, epochs=E, steps_per_epoch=N, schedules=schedules,
    scaler=dict(overflow=overflow, scales=scales, weights=p.detach().tolist())), indent=0) + "\n")
