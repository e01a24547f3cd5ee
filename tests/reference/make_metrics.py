#!/usr/bin/env python3
"""Makes metrics_{binary,multiclass,multilabel}.json: the metrics of scikit-learn that tests/metrics compares with.

    python -m venv venv && venv/bin/pip install scikit-learn && venv/bin/python make_metrics.py

Where scikit-learn puts a conventional 0 or 1 for an undefined ratio, `null` is written instead (zero_division=nan).
Scores are rounded so that they tie, and are printed in full, so both sides read the same doubles.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(20250101)
NAN = float("nan")


def ece(probability, happened, bins=15):
    """Equal-width bins (low, high]; scikit-learn has none. Written apart from ours: a loop over bins, masks over cases."""
    total = 0.0
    for b in range(bins):
        inside = (probability > b / bins) & (probability <= (b + 1) / bins)
        if b == 0:
            inside |= probability == 0
        if inside.any():
            total += inside.mean() * abs(happened[inside].mean() - probability[inside].mean())
    return total


def question(y, p, called):
    """One yes-or-no question: truth, probability, decision."""
    both = 0 < y.sum() < len(y)
    out = {
        "auc": sk.roc_auc_score(y, p) if both else NAN,
        "average_precision": sk.average_precision_score(y, p) if both else NAN,
        "accuracy": sk.accuracy_score(y, called),
        "balanced_accuracy": sk.balanced_accuracy_score(y, called) if both else NAN,
        "sensitivity": sk.recall_score(y, called, zero_division=np.nan),
        "specificity": sk.recall_score(y, called, pos_label=0, zero_division=np.nan),
        "ppv": sk.precision_score(y, called, zero_division=np.nan),
        "npv": sk.precision_score(y, called, pos_label=0, zero_division=np.nan),
        "f1": sk.f1_score(y, called, zero_division=np.nan),
        "mcc": sk.matthews_corrcoef(y, called) if both and 0 < called.sum() < len(y) else NAN,
        "kappa": sk.cohen_kappa_score(y, called) if len(set(y) | set(called)) > 1 else NAN,
        "log_loss": sk.log_loss(y, p, labels=[0, 1]),
        "brier": sk.brier_score_loss(y, p, pos_label=1) if both else float(np.mean((p - y) ** 2)),
        "ece": ece(p, y),
    }
    return out


def multiclass(y, p):
    k = p.shape[1]
    called = p.argmax(1)
    labels = list(range(k))
    onehot = np.eye(k)[y]
    classes = [question(onehot[:, c].astype(int), p[:, c], (called == c).astype(int)) for c in labels]
    for c in classes:
        for name in "accuracy balanced_accuracy mcc kappa log_loss brier ece".split():
            del c[name]
    occurring = set(y)
    all_occur = len(occurring) == k and k > 2  # scikit-learn takes two columns for a binary problem
    several = len(occurring) > 1
    precision = sk.precision_score(y, called, labels=labels, average="macro", zero_division=np.nan)
    out = {
        "auc": sk.roc_auc_score(y, p, multi_class="ovr", average="macro") if all_occur
        else np.nanmean([c["auc"] for c in classes]),
        "auc_weighted": sk.roc_auc_score(y, p, multi_class="ovr", average="weighted") if all_occur
        else np.average([classes[c]["auc"] for c in occurring], weights=[(y == c).sum() for c in occurring]),
        "average_precision": sk.average_precision_score(onehot, p, average="macro") if all_occur
        else np.nanmean([c["average_precision"] for c in classes]),
        "accuracy": sk.accuracy_score(y, called),
        "balanced_accuracy": sk.balanced_accuracy_score(y, called) if several else NAN,
        "sensitivity": sk.recall_score(y, called, labels=labels, average="macro", zero_division=np.nan),
        "specificity": np.nanmean([c["specificity"] for c in classes]),
        "ppv": precision,
        "npv": np.nanmean([c["npv"] for c in classes]),
        "f1": sk.f1_score(y, called, average="macro"),
        "mcc": sk.matthews_corrcoef(y, called) if several and len(set(called)) > 1 else NAN,
        "kappa": sk.cohen_kappa_score(y, called) if len(set(y) | set(called)) > 1 else NAN,
        "log_loss": sk.log_loss(y, p, labels=labels),
        "brier": float(np.mean(((p - onehot) ** 2).sum(1))),
        "ece": ece(p.max(1), called == y),
    }
    return out, classes, sk.confusion_matrix(y, called, labels=labels)


def multilabel(y, p):
    """y holds -1 where nobody gave the label."""
    classes = []
    for c in range(y.shape[1]):
        known = y[:, c] >= 0
        classes.append(question(y[known, c], p[known, c], (p[known, c] >= 0.5).astype(int)))
    out = {name: np.nanmean([c[name] for c in classes]) for name in classes[0]}
    known = y >= 0
    out["auc_micro"] = sk.roc_auc_score(y[known], p[known])
    return out, classes


def plain(value):
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if math.isnan(value) else float(value)
    return value


def write(name, cases):
    document = {"made_by": f"make_metrics.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}", "cases": cases}
    (HERE / name).write_text(json.dumps(plain(document), separators=(",", ":")).replace('{"what"', '\n{"what"') + "\n")


def binary_cases():
    for n, prevalence, digits in [(2, 0.5, 1), (7, 0.4, 1), (50, 0.5, 1), (50, 0.1, 2), (200, 0.5, 1), (200, 0.03, 2),
                                  (400, 0.9, 2), (1000, 0.2, 3), (1000, 0.5, 1), (100, 0.3, 0)]:
        y = (random.random(n) < prevalence).astype(int)
        y[:2] = [0, 1]
        p = np.round(1 / (1 + np.exp(-(random.normal(size=n) * 1.5 + 2 * y - 1))), digits)  # with exact 0s, 1s, ties
        yield f"random n={n} prevalence={prevalence} digits={digits}", y, p
    y = np.array([0, 1, 0, 1, 1])
    yield "all tied", y, np.full(5, 0.3)
    yield "perfect and certain", y, y.astype(float)
    yield "wrong and certain", y, 1.0 - y
    yield "on the threshold", y, np.array([0.5, 0.5, 0.25, 0.5, 0.25])
    yield "no positive", np.zeros(4, int), np.array([0.1, 0.7, 0.4, 0.2])
    yield "no negative", np.ones(4, int), np.array([0.1, 0.7, 0.4, 0.2])
    yield "no negative, none called", np.ones(3, int), np.array([0.1, 0.2, 0.4])
    yield "no positive, none called", np.zeros(3, int), np.array([0.1, 0.2, 0.4])
    yield "one case", np.ones(1, int), np.array([0.75])


def main():
    binary = []
    for what, y, p in binary_cases():
        called = (p >= 0.5).astype(int)
        case = {"what": what, "labels": y, "scores": p, "figures": question(y, p, called)}
        if 0 < y.sum() < len(y) and len(y) <= 200:
            fpr, tpr, thresholds = sk.roc_curve(y, p, drop_intermediate=False)
            case["roc"] = [fpr, tpr, thresholds[1:]]
            precision, recall, thresholds = sk.precision_recall_curve(y, p)
            case["precision_recall"] = [recall[:-1][::-1], precision[:-1][::-1], thresholds[::-1]]
        binary.append(case)
    write("metrics_binary.json", binary)

    several = []
    for n, k, digits, missing in [(6, 3, 2, False), (60, 3, 1, False), (200, 3, 6, False), (300, 5, 2, False),
                                  (120, 9, 6, False), (80, 4, 2, True), (40, 2, 3, False)]:
        y = random.choice(k - (1 if missing else 0), size=n, p=None)
        y[: k - (1 if missing else 0)] = np.arange(k - (1 if missing else 0))
        logits = random.normal(size=(n, k)) + 1.2 * np.eye(k)[y] - 0.4 * np.arange(k)
        p = np.exp(logits * 2)
        # Rounded to a sum of exactly 1 in steps of 10^-digits: scikit-learn wants rows that sum to 1.
        p = np.round(p / p.sum(1, keepdims=True), digits)
        p[:, 0] = np.maximum(0, np.round(1 - p[:, 1:].sum(1), digits))
        p[np.abs(p.sum(1) - 1) > 1e-9] = np.eye(k)[0]
        metrics, classes, matrix = multiclass(y, p)
        several.append({"what": f"n={n} k={k} digits={digits} one class missing={missing}", "classes": k, "labels": y,
                        "probabilities": p, "figures": metrics, "per_class": classes, "confusion": matrix})
    write("metrics_multiclass.json", several)

    labels = []
    for n, k, unknown in [(30, 3, 0.0), (200, 5, 0.2), (300, 14, 0.05), (50, 1, 0.0)]:
        rate = random.uniform(0.05, 0.6, size=k)
        y = (random.random((n, k)) < rate).astype(int)
        y[0], y[1] = 0, 1
        p = np.round(1 / (1 + np.exp(-(random.normal(size=(n, k)) + 2 * y - 1.5))), 2)
        hide = random.random((n, k)) < unknown
        hide[:2] = False
        y[hide] = -1
        if k == 5:
            y[:, 4] = np.where(y[:, 4] == 1, 0, y[:, 4])  # a label that no case has
        metrics, classes = multilabel(y, p)
        labels.append({"what": f"n={n} k={k} unknown={unknown}", "classes": k, "labels": y.ravel(),
                       "probabilities": p, "figures": metrics, "per_class": classes})
    write("metrics_multilabel.json", labels)


if __name__ == "__main__":
    main()
