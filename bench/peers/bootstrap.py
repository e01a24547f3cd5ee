"""Replicates a second of a bootstrap by patients with scikit-learn:  bootstrap.py [CASES] [REPLICATES]

As it is written by hand today: draw patients, take their rows, ask roc_auc_score.
"""

import sys
import time

import numpy as np
from protocol import serve
from sklearn.metrics import roc_auc_score


def main():
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    replicates = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    random = np.random.default_rng(1)
    labels = (random.random(cases) < 0.3).astype(int)
    scores = (random.random(cases) + labels * random.random(cases)) / 2
    patients = np.arange(cases) // 3
    rows = np.split(np.arange(cases), np.flatnonzero(np.diff(patients)) + 1)

    def measure():
        start = time.perf_counter()
        values = []
        for _ in range(replicates):
            drawn = random.integers(len(rows), size=len(rows))
            sample = np.concatenate([rows[i] for i in drawn])
            values.append(roc_auc_score(labels[sample], scores[sample]))
        np.percentile(values, [2.5, 97.5])
        return replicates / (time.perf_counter() - start)

    measure()
    serve(measure)


if __name__ == "__main__":
    main()
