"""Writes small WFDB records and annotations with the Python package wfdb and what it reads of them, into
wfdb_records.json: python make_wfdb_records.py   (pip install wfdb; made with 4.3)

The files stand in the JSON as hexadecimal bytes, so that the tests write them themselves.
"""
import json
import os
import pathlib
import tempfile

import numpy as np
import pandas as pd
import wfdb

rng = np.random.default_rng(5)
out = {"records": [], "annotations": []}


def files(folder):
    return {p.name: p.read_bytes().hex() for p in sorted(pathlib.Path(folder).iterdir())}


def record(name, fs, digital, fmt, gain, baseline, units, names):
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrsamp(name, fs=fs, units=units, sig_name=names, d_signal=digital, fmt=fmt, adc_gain=gain,
                    baseline=baseline, write_dir=folder)
        read = wfdb.rdrecord(os.path.join(folder, name))
        values = [[None if np.isnan(v) else float(v) for v in row] for row in read.p_signal]
        out["records"].append({"name": name, "files": files(folder), "frequency": read.fs,
                               "units": read.units, "values": values})


two = rng.integers(-2000, 2000, (7, 2))
two[3, 1] = -32768  # no sample
record("plain16", 250.5, two, ["16", "16"], [200.0, 1.5], [0, -40], ["mV", "uV"], ["I", "II"])
three = rng.integers(-2047, 2048, (5, 3))
three[2, 0] = -2048
record("odd212", 360, three, ["212"] * 3, [100.0, 250.0, 1000.0], [1024, 0, 7], ["mV", "mmHg", "mV"], ["a", "b", "c"])

for name, fs in (("none", None), ("slow", 250), ("fraction", 128.5)):
    sample = np.cumsum(rng.integers(1, 3000, 12))
    symbol = list("NNVNNAN+N~NV")
    aux = ["(N" if s == "+" else "" for s in symbol]
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann("r", "atr", sample=sample, symbol=symbol, aux_note=aux, fs=fs, write_dir=folder)
        read = wfdb.rdann(os.path.join(folder, "r"), "atr")
        ticks = read.fs or 0
        at = read.sample if not ticks else np.floor(read.sample * 360 / ticks + 0.5).astype(int)
        out["annotations"].append({"name": name, "files": files(folder), "resolution": ticks,
                                   "sample": read.sample.tolist(), "at_360": at.tolist(),
                                   "symbol": read.symbol, "aux": [a.rstrip("\0") for a in read.aux_note]})

with tempfile.TemporaryDirectory() as folder:
    own = pd.DataFrame({"label_store": [42, 43], "symbol": ["z", "y"], "description": ["of this file", "too"]})
    wfdb.wrann("r", "atr", sample=np.array([5, 900]), symbol=["z", "N"], custom_labels=own, fs=500, write_dir=folder)
    read = wfdb.rdann(os.path.join(folder, "r"), "atr")
    out["annotations"].append({"name": "own symbols", "files": files(folder), "resolution": read.fs,
                               "sample": read.sample.tolist(),
                               "at_360": np.floor(read.sample * 360 / read.fs + 0.5).astype(int).tolist(),
                               "symbol": read.symbol, "aux": ["", ""]})

(pathlib.Path(__file__).parent / "wfdb_records.json").write_text(json.dumps(out, indent=1) + "\n")
