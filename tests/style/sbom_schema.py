#!/usr/bin/env python3
"""Holds a software bill of materials against the schema of CycloneDX 1.5, as cyclonedx-python-lib has it.

  sbom_schema.py WRITE_SBOM.cmake

Needs `pip install 'cyclonedx-python-lib[json-validation]'`, in the Python that runs this, in the environment that
scripts/setup-browser makes, in the benches' or in the one that FOVEA_SBOM_PYTHON names. Without it the test is skipped: exit
code 77.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fovea"
PAGE = Path(os.environ.get("FOVEA_PAGE_VENV", CACHE / "page-venv")) / "bin" / "python"
BENCH = Path(os.environ.get("FOVEA_BENCH_VENV", CACHE / "bench-venv")) / "bin" / "python"
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1], encoding="utf-8").read()
try:
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
except Exception as missing:
    if type(missing).__name__ != "MissingOptionalDependencyException":
        raise
    sys.exit(77)
if error:
    sys.exit(f"not CycloneDX 1.5: {error}")
print("valid CycloneDX 1.5")
"""


def can_import(python):
    code = "import cyclonedx.validation.json, jsonschema"
    try:
        return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


pythons = [p for p in (os.environ.get("FOVEA_SBOM_PYTHON"), sys.executable, PAGE, BENCH) if p and can_import(p)]
if not pythons:
    print("skipped: no Python here has cyclonedx-python-lib[json-validation]; scripts/setup-browser installs it")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    output = Path(folder) / "fovea.cdx.json"
    subprocess.run(["cmake", "-D", f"output={output}", "-P", sys.argv[1]], check=True)
    sys.exit(subprocess.run([pythons[0], "-c", VALIDATE, str(output)]).returncode)
