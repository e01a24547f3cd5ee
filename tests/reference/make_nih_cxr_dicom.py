"""Reference numbers of the 240 DICOM files of nih_cxr, taken from the PNG that they were made from.

    python make_nih_cxr_dicom.py DATA/nih_cxr > nih_cxr_dicom.csv      (needs pydicom, numpy, Pillow)

Per file: the PNG reduced to 128 x 128 (Lanczos, as the data set's README says) as mean, minimum, maximum and the grey
levels of 16 fixed pixels; and, as a second witness, the largest difference between that and what pydicom reads from the
DICOM file (rescaled, inverted where MONOCHROME1, in 0..255 units). The script stops if one is above half a grey level.
"""
import csv
import pathlib
import sys

import numpy as np
import pydicom
from PIL import Image

root = pathlib.Path(sys.argv[1])
places = [(8 + 37 * k % 113, 5 + 53 * k % 119) for k in range(16)]
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["filename", "bits_stored", "signed", "photometric", "mean", "min", "max", "witness"]
             + [f"r{r}c{c}" for r, c in places])
for row in csv.DictReader(open(root / "dicom_labels.csv")):
    name = row["filename"]
    png = Image.open(root / "images" / name.replace(".dcm", ".png")).convert("L").resize((128, 128), Image.LANCZOS)
    grey = np.asarray(png, dtype=np.float64)
    data = pydicom.dcmread(root / "dicom" / name)
    stored = data.pixel_array.astype(np.float64)
    bits, signed = int(row["bits_stored"]), row["signed"] == "1"
    if row["photometric"] == "MONOCHROME1":
        stored = (-1 if signed else 2**bits - 1) - stored
    level = stored * 0.125 + 128 if signed else stored / 2 ** (bits - 8)
    witness = np.abs(level - grey).max()
    assert witness <= 0.5, (name, witness)
    out.writerow([name, bits, int(signed), row["photometric"], f"{grey.mean():.6f}", int(grey.min()), int(grey.max()),
                  f"{witness:.4f}"] + [int(grey[r, c]) for r, c in places])
