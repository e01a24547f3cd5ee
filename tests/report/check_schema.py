#!/usr/bin/env python3
"""Whether a report.json follows docs/report.schema.json.

  check_schema.py REPORT.json…
  check_schema.py --example PROGRAM   of what `report_example` writes, and its page in a browser (check_page.py)

Prints what does not; exit code 1 then, and 77 where the packages of scripts/setup-browser are absent.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from check_page import VENV  # noqa: E402  (switches to the venv, or skips)

import jsonschema  # noqa: E402

SCHEMA = json.loads((HERE.parents[1] / "docs/report.schema.json").read_text())


def check(path):
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(json.loads(Path(path).read_text())))
    for error in errors:
        print(f"{path}: {error.json_path}: {error.message[:200]}")
    return not errors


def main():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    if sys.argv[1] != "--example":
        ok = all([check(path) for path in sys.argv[1:]])
        print("schema: ok" if ok else "schema: not followed")
        return 0 if ok else 1
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[2], folder], check=True, stdout=subprocess.DEVNULL)
        ok = check(Path(folder) / "report.json")
        page = subprocess.run([sys.executable, HERE / "check_page.py", Path(folder) / "report.html"])
        return page.returncode if ok else 1


if __name__ == "__main__":
    sys.exit(main())
