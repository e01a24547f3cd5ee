"""From a CSV file to batches of 32 windows of 64 time steps, as users of pandas and PyTorch write it.

  series.py TABLE WORKERS

The work is that of configs/eeg_eye_state.yaml with a case per row: values outside 3000 to 6000 are filled forward, columns
become standard by the first 70 %, a window of 64 rows per case, in random order. The windows are views of one tensor.
"""

import sys
import time

import pandas as pd
import torch

from protocol import serve

BATCH, WINDOW = 32, 64


class Windows(torch.utils.data.Dataset):
    def __init__(self, path):
        table = pd.read_csv(path)
        labels = table.pop("eyeDetection")
        table = table.where((table >= 3000) & (table <= 6000))
        missing = table.isna()
        training = table[: int(0.7 * len(table))]
        table = ((table - training.mean()) / training.std(ddof=0)).ffill().fillna(0)
        both = pd.concat([table, missing.loc[:, missing.any()].astype(float)], axis=1)
        self.values = torch.from_numpy(both.to_numpy("float32"))
        self.labels = torch.from_numpy(labels.to_numpy("int64"))

    def __len__(self):
        return len(self.labels) - WINDOW + 1

    def __getitem__(self, index):
        return self.values[index : index + WINDOW], self.labels[index + WINDOW - 1]


def main():
    path, workers = sys.argv[1], int(sys.argv[2])

    def measure():
        start = time.perf_counter()
        data = Windows(path)
        count = sum(len(labels) for _, labels in torch.utils.data.DataLoader(
            data, BATCH, shuffle=True, num_workers=workers))
        assert count == len(data)
        return count / (time.perf_counter() - start)

    torch.set_num_threads(2)
    measure()
    serve(measure)


if __name__ == "__main__":
    main()
