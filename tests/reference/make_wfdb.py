"""Decodes the public record 100 with NumPy and writes wfdb.json: python make_wfdb.py FOLDER_OF_100.dat

Format 212 by its definition in signal(5): three bytes are a number of 24 bits, little end first; the low 12 bits
but for the four in the middle byte's high half are the first sample. Written with bit masks on whole triples, where
src/io/wfdb.cpp goes byte by byte.
"""
import json
import pathlib
import sys

import numpy as np

raw = np.fromfile(pathlib.Path(sys.argv[1]) / "100.dat", dtype=np.uint8).reshape(-1, 3).astype(np.int64)
triples = raw[:, 0] + (raw[:, 1] << 8) + (raw[:, 2] << 16)
first = triples & 0xFFF
second = (triples >> 16) | ((triples >> 4) & 0xF00)
signals = [np.where(s > 2047, s - 4096, s) for s in (first, second)]  # two signals alternate
checksums = [int(np.int16(np.uint16(s.sum() & 0xFFFF))) for s in signals]
assert checksums == [-22131, 20052], checksums  # as 100.hea says

hashes = []
for s in signals:
    value = 0
    for sample in s:
        value = (value * 1_000_003 + int(sample) + 2048) % 2**64
    hashes.append(value)
places = [0, 1, 2, 77, 1000, 324999, 649998, 649999]
samples = [{str(p): int(s[p]) for p in places} for s in signals]
out = pathlib.Path(__file__).parent / "wfdb.json"
out.write_text(json.dumps({"hashes": hashes, "samples": samples}, indent=1) + "\n")
