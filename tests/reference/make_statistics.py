#!/usr/bin/env python3
"""Makes statistics.f64: what scikit-learn, SciPy, statsmodels and the formulas as they were published say of 10,000
small data sets, which tests/metrics/agreement_test.cpp draws again from the same seeds and compares.

    python -m venv venv && venv/bin/pip install numpy scipy scikit-learn statsmodels && venv/bin/python make_statistics.py

The file: a line of JSON with the names of the columns, then little-endian doubles, one row per data set. NaN stands
where a number is undefined. Nothing here is taken from fovea's own sources: quadratic loops where those sort, masks
where those walk.
"""
import json
import math
import pathlib
import warnings

import make_metrics  # beside this file
import numpy as np
import statsmodels.api as sm
from scipy import optimize, special, stats
from sklearn import metrics as sk
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

warnings.filterwarnings("ignore")
SETS = 10_000
NAN = float("nan")
MASK = (1 << 64) - 1


class Draw:
    """SplitMix64 (Steele, Lea and Flood 2014), the same few lines as in the test."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        return (self.bits() >> 11) * 2.0**-53

    def below(self, n):
        return self.bits() % n


def data_set(seed):
    """Labels, two probabilities and a patient for each case; every tenth set is a degenerate one."""
    draw = Draw(seed)
    kind = seed % 50
    n = 1 if kind == 0 else 200 + draw.below(200) if kind == 1 else 2 + draw.below(60)
    levels = [0, 4, 10, 100][draw.below(4)]  # ties; 0: none
    prevalence = 0.1 + 0.8 * draw.uniform()
    signal = 1.5 * draw.uniform()
    y, a, b, patient, last = [], [], [], [], -1
    for _ in range(n):
        label = int(draw.uniform() < prevalence)
        if kind in (2, 3):
            label = kind - 2
        pair = []
        for _ in range(2):
            p = (draw.uniform() + signal * label * draw.uniform()) / (1 + signal)
            if levels:
                p = math.floor(p * levels) / levels
            if kind == 4:
                p = 0.25
            if kind in (5, 6):
                p = float(p >= 0.5)
            pair.append(p)
        if not patient or draw.below(3) == 0:
            last += 1
        y.append(label)
        a.append(pair[0])
        b.append(pair[1])
        patient.append(last)
    return np.array(y), np.array(a), np.array(b), np.array(patient)


def components(y, p):
    """DeLong's structural components, pair by pair."""
    x, z = p[y == 1], p[y == 0]
    order = (x[:, None] > z[None, :]) + 0.5 * (x[:, None] == z[None, :])
    return order.mean(1), order.mean(0), order.mean()


def delong(y, a, b):
    """Variance of a, and of a - b."""
    m, n = (y == 1).sum(), (y == 0).sum()
    if m < 2 or n < 2:
        return NAN, NAN, NAN
    xa, za, auc_a = components(y, a)
    xb, zb, auc_b = components(y, b)
    s10, s01 = np.cov(np.stack([xa, xb])), np.cov(np.stack([za, zb]))
    s = s10 / m + s01 / n
    d = (xa - xb, za - zb)
    return s[0, 0], np.var(d[0], ddof=1) / m + np.var(d[1], ddof=1) / n, auc_a - auc_b


def obuchowski(y, p, patient):
    """Obuchowski 1997, equations 3 to 6: sums over each patient's cases."""
    m, n = (y == 1).sum(), (y == 0).sum()
    if m == 0 or n == 0:
        return NAN
    x, z, auc = components(y, p)
    ids = np.unique(patient)
    v10 = np.array([x[patient[y == 1] == i].sum() for i in ids])
    v01 = np.array([z[patient[y == 0] == i].sum() for i in ids])
    mi = np.array([((patient == i) & (y == 1)).sum() for i in ids])
    ni = np.array([((patient == i) & (y == 0)).sum() for i in ids])
    i10, i01, i_all = (mi > 0).sum(), (ni > 0).sum(), len(ids)
    if i10 < 2 or i01 < 2:
        return NAN
    s10 = i10 / ((i10 - 1) * m) * np.sum((v10 - mi * auc) ** 2)
    s01 = i01 / ((i01 - 1) * n) * np.sum((v01 - ni * auc) ** 2)
    s11 = i_all / (i_all - 1) * np.sum((v10 - mi * auc) * (v01 - ni * auc))
    return s10 / m + s01 / n + 2 * s11 / (m * n)


def bins(edges, y, p):
    """(cases, mean probability, share of positives) of the bins (edge, next edge]; the first holds its lower edge too."""
    out = []
    for i in range(len(edges) - 1):
        inside = (p > edges[i]) & (p <= edges[i + 1])
        if i == 0:
            inside |= p <= edges[0]
        if inside.any():
            out.append((inside.sum(), p[inside].mean(), y[inside].mean()))
    return np.array(out)


def logistic(y, p, fixed):
    """Of a + b x the b, or (fixed: b = 1) the a, that statsmodels or SciPy finds; then Newton's steps with 64 bits of
    mantissa."""
    x = np.log(p) - np.log1p(-p)
    big = np.longdouble(x)
    if fixed:
        a = np.longdouble(optimize.brentq(lambda a: np.sum(y - special.expit(a + x)), -80, 80, xtol=1e-10))
        for _ in range(10):
            mu = 1 / (1 + np.exp(-(a + big)))
            a = a + np.sum(y - mu) / np.sum(mu * (1 - mu))
        return float(a)
    design = np.stack([np.ones(len(y)), x], 1)
    beta = sm.GLM(y, design, family=sm.families.Binomial()).fit().params
    score = lambda b: design.T @ (special.expit(design @ b) - y)
    if not np.all(np.isfinite(beta)) or np.max(abs(score(beta))) > 1e-4:  # it knows no step that is too long
        loss = lambda b: np.sum(np.logaddexp(0, design @ b) - y * (design @ b))
        beta = optimize.minimize(loss, [0, 0], jac=score, method="BFGS", options={"gtol": 1e-6}).x
    beta = np.longdouble(beta)
    for _ in range(20):
        mu = 1 / (1 + np.exp(-(beta[0] + beta[1] * big)))
        w = mu * (1 - mu)
        g0, g1 = np.sum(y - mu), np.sum((y - mu) * big)
        h00, h01, h11 = np.sum(w), np.sum(w * big), np.sum(w * big * big)
        beta = beta + np.array([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / (h00 * h11 - h01 * h01)
    return float(beta[1])


def recalibration(y, p):
    if (p[y == 1] == 0).any() or (p[y == 0] == 1).any():
        return NAN, NAN
    y, p = y[(p > 0) & (p < 1)], p[(p > 0) & (p < 1)]
    if y.sum() in (0, len(y)):
        return NAN, NAN
    mixed = p[y == 0].max() > p[y == 1].min() and p[y == 1].max() > p[y == 0].min()
    return logistic(y, p, False) if mixed else NAN, logistic(y, p, True)


def question(y, a, b, patient):
    both = 0 < y.sum() < len(y)
    called, called_b = (a >= 0.5).astype(int), (b >= 0.5).astype(int)
    tp, fn = int((called & y).sum()), int(((1 - called) & y).sum())
    row = make_metrics.question(y, a, called)
    width = bins(np.arange(16) / 15, y, a)
    weight = width[:, 0] / len(y)
    row["ece"] = np.sum(weight * abs(width[:, 1] - width[:, 2]))
    row["mce"] = np.max(abs(width[:, 1] - width[:, 2]))
    row["reliability"] = np.sum(weight * (width[:, 1] - width[:, 2]) ** 2)
    row["resolution"] = np.sum(weight * (width[:, 2] - y.mean()) ** 2)
    row["uncertainty"] = y.mean() * (1 - y.mean())
    edges = np.unique(np.quantile(a, np.arange(1, 16) / 15, method="inverted_cdf"))
    mass = bins(np.concatenate([[-1], edges]), y, a)
    row["ece_by_mass"] = np.sum(mass[:, 0] / len(y) * abs(mass[:, 1] - mass[:, 2]))

    row["delong"], of_difference, difference = delong(y, a, b)
    row["p_delong"] = (
        2 * stats.norm.sf(abs(difference) / math.sqrt(of_difference)) if both and of_difference > 1e-20 else NAN)
    row["obuchowski"] = obuchowski(y, a, patient)
    low, high = proportion_confint(tp, tp + fn, method="wilson") if tp + fn else (NAN, NAN)
    row["wilson_low"], row["wilson_high"] = low, high

    right, right_b = called == y, called_b == y
    table = [[(right & right_b).sum(), (right & ~right_b).sum()], [(~right & right_b).sum(), (~right & ~right_b).sum()]]
    row["p_mcnemar"] = mcnemar(table, exact=True).pvalue if table[0][1] + table[1][0] else NAN

    row["slope"], row["intercept"] = recalibration(y, a)

    row["youden"] = NAN
    if both:  # scikit-learn's curve falls from inf; all its points
        fpr, tpr, at = sk.roc_curve(y, a, drop_intermediate=False)
        exact = np.round(tpr * y.sum()) * (1 - y).sum() - np.round(fpr * (1 - y).sum()) * y.sum()
        best = int(np.argmax(exact))
        row["youden"] = at[best] if best else np.nextafter(a.max(), np.inf)
    treated = a >= 0.3
    row["net_benefit"] = ((treated & (y == 1)).sum() - (treated & (y == 0)).sum() * 0.3 / 0.7) / len(y)
    row["lr_positive"] = NAN
    if both and fp_of(y, called):
        row["lr_positive"] = (tp / (tp + fn)) / (fp_of(y, called) / (y == 0).sum())
    return row


def fp_of(y, called):
    return int((called & (1 - y)).sum())


def main():
    rows, names = [], None
    for seed in range(SETS):
        row = question(*data_set(seed))
        names = list(row)
        rows.append([float(v) for v in row.values()])
    head = json.dumps({"sets": SETS, "columns": names}) + "\n"
    path = pathlib.Path(__file__).parent / "statistics.f64"
    path.write_bytes(head.encode() + np.array(rows, dtype="<f8").tobytes())


if __name__ == "__main__":
    main()
