#!/usr/bin/env python3
"""Counts in the machine code of the kernels what the compiler may do to them without a word.

  machine_code.py FOLDER NVDISASM

For each kernel in FOLDER/*.o, on every GPU that it was compiled for: the instructions; loads and stores for which the
compiler forgot whether they go to shared or to global memory; and, in the order of the code, the most branches between
a product of the tensor cores and the next exponential. There is no place for the former in any kernel: they wait for
both memories. The latter would be a branch for each score.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Where each kernel's scores are finished: once behind the products, on a way that is alike for the whole call.
MOST_BRANCHES = {"Forward": 4, "WindowForward": 4, "HopperForward": 4, "Backward": 6, "WindowBackward": 4,
                 "HopperBackward": 6, "Collect": 4}
CUDA = 190  # e_machine of an ELF file for a GPU

KERNEL = re.compile(r"\.text\.(\S+):")
INSTRUCTION = re.compile(r"\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)")


def number(data, at, size):
    return int.from_bytes(data[at:at + size], "little")


def cubins(data):
    """The ELF files for GPUs within an object."""
    for found in re.finditer(rb"\x7fELF\x02\x01", data):
        elf = data[found.start():]
        if number(elf, 18, 2) == CUDA:
            # It ends with the table of its sections or with that of its segments.
            sections = number(elf, 40, 8) + number(elf, 58, 2) * number(elf, 60, 2)
            segments = number(elf, 32, 8) + number(elf, 54, 2) * number(elf, 56, 2)
            yield elf[:max(sections, segments)]


class Count:
    def __init__(self):
        self.instructions = self.generic = self.apart = 0
        self.products = self.exponentials = 0
        self._branches = None  # since the last product

    def add(self, instruction):
        name = instruction.split(".")[0]
        self.instructions += 1
        self.generic += name in ("LD", "ST", "ATOM")
        if name in ("HMMA", "HGMMA"):
            self.products += 1
            self._branches = 0
        elif instruction.startswith("MUFU.EX2"):
            self.exponentials += 1
            self.apart = max(self.apart, self._branches or 0)
            self._branches = None
        elif name in ("BRA", "BRX", "JMP", "CALL") and self._branches is not None:
            self._branches += 1


def counts(text):
    """By kernel, of what nvdisasm prints."""
    kernels, now = {}, None
    for line in text.splitlines():
        if label := KERNEL.match(line):
            now = kernels.setdefault(label[1], Count())
        elif now and (found := INSTRUCTION.match(line)):
            now.add(found[1])
    return kernels


def faults(family, count):
    if count.generic:
        yield f"{count.generic} loads or stores of no known memory"
    most = MOST_BRANCHES.get(family)
    if most is not None and count.apart > most:
        yield f"{count.apart} branches between product and exponential; {most} are allowed"
    if most is not None and not (count.products and count.exponentials):
        yield "no product or no exponential was found: this test does not know the code any more"


def name_of(symbol):
    """_ZN5fovea4cuda6kernelINS0_7ForwardI... is a Forward; and as c++filt has it."""
    family = re.search(r"kernelI(?:NS0_|NS0_\d+_GLOBAL__N_1|N\w*?)(\d+)(\w+)", symbol)
    family = family[2][:int(family[1])] if family else ""
    shown = subprocess.run(["c++filt", symbol], capture_output=True, text=True).stdout.strip() or symbol
    shown = re.sub(r"fovea::cuda::|\(anonymous namespace\)::|^void |\(SdpaArgs.*", "", shown)
    return family, shown


SAMPLE = """
.text._ZN5fovea4cuda6kernelINS0_7ForwardINS0_5Mma16INS0_4bf16EEELi8ELi8EEEJEEEvNS0_8SdpaArgsEDpT0_:
        /*0000*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0010*/              @!P0 BRA `(.L_x_1) ;
        /*0020*/                   LDS R1, [R2] ;
        /*0030*/               @P1 LD.E R1, [R2.64] ;
        /*0040*/              @!P0 BRA `(.L_x_1) ;
        /*0050*/                   BRA `(.L_x_1) ;
        /*0060*/                   BRA `(.L_x_1) ;
        /*0070*/                   BRA `(.L_x_1) ;
        /*0080*/                   MUFU.EX2 R1, R1 ;
        /*0090*/                   BRA `(.L_x_1) ;
        /*00a0*/                   MUFU.EX2 R1, R1 ;
        /*00b0*/                   ST.E [R2.64], R1 ;
"""


def check_itself():
    [(symbol, count)] = counts(SAMPLE).items()
    assert (count.instructions, count.generic, count.apart) == (12, 2, 5), vars(count)
    assert name_of(symbol)[0] == "Forward", name_of(symbol)
    assert len(list(faults("Forward", count))) == 2


def main():
    folder, nvdisasm = Path(sys.argv[1]), sys.argv[2]
    check_itself()
    bad, seen = 0, set()
    for file in sorted(folder.glob("*.o")):
        images = list(cubins(file.read_bytes()))
        if not images:
            sys.exit(f"machine_code.py: {file} holds no machine code that is not compressed")
        for image in images:
            with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
                cubin.write(image)
                cubin.flush()
                run = subprocess.run([nvdisasm, "-c", cubin.name], capture_output=True, text=True)
            if run.returncode:
                sys.exit(f"machine_code.py: {nvdisasm} on {file}: {run.stderr.strip()}")
            target = re.search(r"\.target\s+(\w+)|EF_CUDA_(SM\d+)", run.stdout)
            target = (target[1] or target[2]).lower() if target else "?"
            for symbol, count in counts(run.stdout).items():
                family, shown = name_of(symbol)
                if count.instructions < 32:
                    continue  # the Hopper kernels on other GPUs are empty
                seen.add(family)
                print(f"{target} {count.instructions:6} instructions, {count.generic} generic, {count.apart} branches "
                      f"before an exponential: {shown}")
                for fault in faults(family, count):
                    print(f"    {fault}")
                    bad += 1
    missing = set(MOST_BRANCHES) - seen
    if missing:
        sys.exit(f"machine_code.py: no kernel of {', '.join(sorted(missing))} in {folder}")
    if bad:
        sys.exit(f"machine_code.py: {bad} faults")


if __name__ == "__main__":
    main()
