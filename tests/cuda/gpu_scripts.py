#!/usr/bin/env python3
"""scripts/gpu-pack and scripts/gpu-run without a GPU: programs that only answer stand for those that ask one.

  gpu_scripts.py REPOSITORY
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(sys.argv.pop(1)).resolve()
# Each call is a line of `asked`; what the folder's file `answers` has for it is done: "NAME ARGUMENT: exit code".
STUB = """#!/usr/bin/env bash
here=$(dirname "$0")
name=$(basename "$0")
echo "$name $*" >>"$here/asked"
if grep -qsF "lost after $name ${1:-}" "$here/answers"; then touch "$here/lost"; exit 1; fi
if [ "${1:-}" = alive ] && [ -e "$here/lost" ]; then echo "no CUDA device"; exit 1; fi
code=$(sed -n "s/^$name ${1:-}: //p" "$here/answers" 2>/dev/null)
[ "${code:-0}" = 0 ] || echo "FAILED $name ${1:-}"
[ "${code:-0}" != 0 ] || echo "ok"
exit ${code:-0}
"""


class GpuRun(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name) / "gpu"
        (self.folder / "lib").mkdir(parents=True)
        for name in ("cuda_contracts", "test_cuda_on_gpu", "test_gpu", "python", "compute-sanitizer", "ncu"):
            stub = self.folder / name
            stub.write_text(STUB)
            stub.chmod(0o755)

    def tearDown(self):
        self.place.cleanup()

    def run_it(self, *answers, total=60):
        (self.folder / "answers").write_text("".join(line + "\n" for line in answers))
        out = Path(self.place.name) / "out"
        env = {**os.environ, "OUT": str(out), "TOTAL": str(total), "PYTHON": str(self.folder / "python"),
               "PATH": f"{self.folder}:{os.environ['PATH']}"}
        done = subprocess.run([REPOSITORY / "scripts/gpu-run", self.folder], env=env, capture_output=True, text=True)
        asked = [line.split(" --gtest_color")[0] for line in (self.folder / "asked").read_text().splitlines()]
        return done.returncode, (out / "summary.txt").read_text(), asked, out

    def test_what_may_hang_comes_last_and_each_step_leaves_a_log(self):
        code, summary, asked, out = self.run_it()
        self.assertEqual(code, 0, summary)
        place = lambda word: next(i for i, line in enumerate(asked) if word in line)
        wanted = ["cuda_contracts alive", "cuda_contracts mma", "test_cuda_on_gpu", "window 7x7", "cuda_contracts map",
                  "cuda_contracts tma", "cuda_contracts clear", "long, wide", "test_gpu", "SAGAN", "racecheck", "ncu"]
        self.assertEqual([place(word) for word in wanted], sorted(place(word) for word in wanted))
        steps = [line for line in summary.splitlines() if line.startswith("ok ")]
        self.assertEqual(len(steps), len(list(out.glob("*.log"))))
        self.assertIn(f"{len(steps)} steps, 0 failed", summary)

    def test_without_a_gpu_nothing_else_is_asked(self):
        code, summary, asked, _ = self.run_it("cuda_contracts alive: 1")
        self.assertEqual(code, 2)
        self.assertIn("there is no GPU to ask", summary)
        self.assertEqual({line for line in asked if "python" not in line}, {"cuda_contracts alive"})

    def test_a_contract_that_hangs_keeps_the_hopper_kernels_from_being_timed(self):
        code, summary, asked, _ = self.run_it("cuda_contracts tma: 124")
        self.assertEqual(code, 1)
        self.assertIn("hung     contract tma", summary)
        self.assertIn("FAILED cuda_contracts tma", summary)
        self.assertIn("not run  bench of the Hopper kernels", summary)
        self.assertFalse([line for line in asked if "long, wide" in line or "cuda_contracts rate" in line])
        self.assertTrue([line for line in asked if "test_gpu" in line])  # the others go on

    def test_of_a_gpu_that_was_lost_nothing_more_is_asked(self):
        code, summary, asked, _ = self.run_it("lost after cuda_contracts depth")
        self.assertEqual(code, 1)
        self.assertIn("not run  tests with LibTorch: the GPU does not answer", summary)
        after = asked[asked.index("cuda_contracts depth") + 1:]
        self.assertEqual(set(after), {"cuda_contracts alive"})

    def test_what_there_is_no_time_for_is_said(self):
        code, summary, asked, _ = self.run_it(total=5)
        self.assertNotEqual(code, 0)
        self.assertIn("alive: no time is left", summary)

    def test_without_a_folder_it_says_how_to_make_one(self):
        done = subprocess.run([REPOSITORY / "scripts/gpu-run", "/nowhere"], capture_output=True, text=True,
                              env={**os.environ, "OUT": self.place.name})
        self.assertEqual(done.returncode, 2)
        self.assertIn("scripts/gpu-pack makes it", done.stdout)


class GpuPack(unittest.TestCase):
    def test_it_gathers_what_gpu_run_asks_for(self):
        done = subprocess.run([REPOSITORY / "scripts/gpu-pack", "--dry-run"], capture_output=True, text=True,
                              check=True)
        gathered = {line.rsplit("/", 1)[1] for line in done.stdout.splitlines() if " as build/gpu/" in line}
        text = (REPOSITORY / "scripts/gpu-run").read_text()
        for name in ("cuda_contracts", "test_cuda_on_gpu", "test_gpu", "libfovea.so"):
            self.assertIn(name, gathered)
            self.assertIn("$folder/" + name, text)
        self.assertLess({"libfovea_cuda.so", "libfovea_gpu_graph.so"}, gathered)

    def test_it_refuses_what_it_does_not_know(self):
        done = subprocess.run([REPOSITORY / "scripts/gpu-pack", "--fast"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("found '--fast'", done.stderr)


if __name__ == "__main__":
    unittest.main()
