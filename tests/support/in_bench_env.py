#!/usr/bin/env python3
"""Runs a script in the benches' Python environment, which bench/setup makes, with its PyTorch 2.11.

  in_bench_env.py SCRIPT [ARGUMENTS...]

Without it the test is skipped: exit code 77.
"""

import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fovea"
PYTHON = Path(os.environ.get("FOVEA_BENCH_VENV", CACHE / "bench-venv")) / "bin" / "python"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


if not PYTHON.exists():
    skip(f"no {PYTHON}; bench/setup makes it")
found = subprocess.run([PYTHON, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
if found.returncode:
    skip(f"{PYTHON}: {found.stderr.strip().splitlines()[-1]}")
if not found.stdout.startswith("2.11."):
    skip(f"{PYTHON} has PyTorch {found.stdout.strip()}; wanted 2.11")
sys.exit(subprocess.run([PYTHON, *sys.argv[1:]]).returncode)
