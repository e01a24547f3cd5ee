#!/usr/bin/env python3
"""Makes drift.json: what SciPy, numpy and statsmodels say of the tests that tests/metrics/drift_test.cpp,
homogeneity_test.cpp and distribution_test.cpp compare with.

    python -m venv venv && venv/bin/pip install numpy scipy statsmodels && venv/bin/python make_drift.py

Nothing here is taken from fovea's own sources: patients are rows of a matrix, the correction is made from the
eigenvalues of the matrix of design effects, and their sum is compared with statsmodels' errors for clusters.
"""
import json
import pathlib

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

random = np.random.default_rng(11)


def tails():
    chi2, f = [], []
    for degrees in [1, 1.5, 2, 3, 3.7, 5, 9, 9.99, 10, 17, 19.5, 20, 21, 50, 99.5, 100, 400, 1000]:
        at = [stats.chi2.isf(10.0**-e, degrees) for e in [0.001, 0.05, 0.3, 1, 1.3, 2, 3, 8, 30, 100, 200, 300]]
        for x in at + [degrees * 1e-6, degrees, degrees + 1.99, degrees + 2.01]:
            chi2.append([float(x), float(degrees), float(stats.chi2.sf(x, degrees))])
        for below in [1, 5.5, 30, 1000]:
            for p in [0.95, 0.5, 0.05, 1e-3, 1e-9]:
                x = stats.f.isf(p, degrees, below)
                f.append([float(x), float(degrees), float(below), float(stats.f.sf(x, degrees, below))])
    return {"chi2": chi2, "f": f}


def fisher():
    out = []
    tables = [[[0, 5], [7, 2]], [[3, 1], [1, 3]], [[8, 2], [1, 5]], [[1, 9], [11, 3]], [[0, 4], [5000, 90000]],
              [[4, 96], [0, 900]]]
    tables += [random.integers(0, 12, (2, 2)).tolist() for _ in range(60)]
    for t in tables:
        out.append({"table": [int(c) for r in t for c in r], "p": float(stats.fisher_exact(t)[1])})
    return out


def independent():
    out = []
    for k in [2, 3, 5, 10, 30]:
        for n, m in [(2000, 700), (400, 4000)]:
            share = random.dirichlet(np.full(k, 20.0))
            moved = share * random.uniform(0.8, 1.25, k)
            a, b = random.multinomial(n, share), random.multinomial(m, moved / moved.sum())
            test = stats.chi2_contingency([a, b], correction=False)
            if test.expected_freq.min() < 5:
                continue
            out.append({"a": a.tolist(), "b": b.tolist(), "statistic": test.statistic, "p": test.pvalue})
    return out


def sample(patients, most, k, alike):
    """The cell of each case and its patient: with probability `alike` the patient's own cell."""
    cells, who = [], []
    for i in range(patients):
        own = random.integers(k)
        for _ in range(random.integers(1, most + 1)):
            cells.append(int(own if random.random() < alike else random.integers(k)))
            who.append(i)
    return cells, who


def shares(cells, who, k):
    """The shares and their covariance between patients."""
    of_patient = np.zeros((max(who) + 1, k))
    for cell, i in zip(cells, who):
        of_patient[i, cell] += 1
    p = of_patient.sum(0) / len(cells)
    beyond = of_patient - of_patient.sum(1, keepdims=True) * p
    g = len(of_patient)
    v = g / (g - 1) * beyond.T @ beyond / len(cells) ** 2
    for j in range(k):
        robust = sm.OLS((np.array(cells) == j).astype(float), np.ones(len(cells))).fit(
            cov_type="cluster", cov_kwds={"groups": np.array(who)})
        assert abs(robust.cov_params()[0, 0] / v[j, j] - 1) < 1e-9
    return p, v, g


def clustered():
    out = []
    for k, alike, most, training, evaluated in [(2, 1, 4, 80, 40), (3, 0.6, 5, 200, 60), (5, 0.3, 3, 150, 90),
                                                (6, 0.9, 6, 300, 120), (4, 0.5, 1, 100, 70), (3, 0, 8, 60, 60)]:
        first = sample(training, most, k, alike)
        second = sample(evaluated, max(most, 3), k, alike)
        (e, ve, ge), (a, va, ga) = shares(*first, k), shares(*second, k)
        n, m = len(first[0]), len(second[0])
        pooled = (n * e + m * a) / (n + m)
        statistic = n * m / (n + m) * np.sum((a - e) ** 2 / pooled)
        inner = np.diag(pooled[:-1]) - np.outer(pooled[:-1], pooled[:-1])
        effects = np.linalg.eigvals(np.linalg.inv(inner) @ (ve + va)[:-1, :-1]).real * n * m / (n + m)
        of_e = np.linalg.eigvals(np.linalg.inv(inner) @ ve[:-1, :-1]).real.sum() * n * m / (n + m) / effects.sum()
        patients = 1 / (of_e**2 / (ge - 1) + (1 - of_e) ** 2 / (ga - 1))
        degrees = effects.sum() ** 2 / np.sum(effects**2)
        p = stats.f.sf(statistic / max(effects.mean(), 1) / (k - 1), degrees, degrees * patients)
        out.append({"cells": k, "training": first, "evaluated": second, "statistic": statistic,
                    "design_effect": max(effects.mean(), 1), "p": p, "by_chance": effects.sum() * (1 / n + 1 / m)})
    return out


def numbers():
    out = []
    for n, m, moved in [(400, 150, 0), (230, 300, 0.3), (1000, 100, 1)]:
        training = np.round(random.normal(100, 15, n), 6)
        evaluated = np.round(random.normal(100 + 15 * moved, 15, m), 6)
        edges = np.quantile(training, np.arange(1, 10) / 10, method="inverted_cdf")
        e, a = (np.bincount(np.searchsorted(edges, v), minlength=10) for v in (training, evaluated))
        test = stats.chi2_contingency([e, a], correction=False)
        one = {"training": training.tolist(), "evaluated": evaluated.tolist(), "edges": edges.tolist(),
               "quantiles": np.quantile(training, np.linspace(0, 1, min(100, n // 5) + 1)).tolist()}
        if a.min() > 0:
            one["psi"] = float(np.sum((a / m - e / n) * np.log(a / m / (e / n))))
        if test.expected_freq.min() >= 5:
            one["p"] = test.pvalue
        out.append(one)
    return out


made = {"made_with": f"scipy {scipy.__version__}, numpy {np.__version__}, statsmodels {statsmodels.__version__}",
        "tails": tails(), "fisher": fisher(), "independent": independent(), "clustered": clustered(), "numbers": numbers()}
(pathlib.Path(__file__).parent / "drift.json").write_text(json.dumps(made) + "\n")
