#!/usr/bin/env python3
"""Makes regression.json: the metrics of scikit-learn and SciPy that tests/metrics/regression_test.cpp compares with.

    python -m venv venv && venv/bin/pip install scikit-learn scipy && venv/bin/python make_regression.py

Correlations are SciPy's. The limits of agreement are numpy's: mean ± 1.96 std(ddof=1). `null` where scikit-learn only warns.
"""
import json
import pathlib

import numpy as np
import scipy.stats
import sklearn
from sklearn import metrics as sk

random = np.random.default_rng(7)
cases = []
for n, scale, noise, what in [(2, 1, 0.5, "two"), (5, 100, 20, "few"), (300, 40, 15, "many"), (200, 1e6, 1, "large"),
                              (50, 1e-6, 1e-7, "small"), (40, 1, 5, "worse than the mean")]:
    y = random.normal(size=n) * scale + scale
    p = y + random.normal(size=n) * noise + noise / 3
    e = p - y
    cases.append({"what": what, "targets": y.tolist(), "predicted": p.tolist(), "figures": {
        "rmse": float(np.sqrt(sk.mean_squared_error(y, p))), "mae": sk.mean_absolute_error(y, p),
        "r2": sk.r2_score(y, p), "bias": float(e.mean()),
        "pearson": float(scipy.stats.pearsonr(y, p)[0]), "spearman": float(scipy.stats.spearmanr(y, p)[0])},
        "limits": [e.mean() - 1.96 * e.std(ddof=1), e.mean() + 1.96 * e.std(ddof=1)]})
path = pathlib.Path(__file__).parent / "regression.json"
path.write_text(json.dumps({"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases}) + "\n")
