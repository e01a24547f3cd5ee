"""Augmented 224-px batches of 32 by two worker processes, as the users of each library write it.

  load.py torchvision|monai png|dicom FOLDER [IMAGES]

The work is the same for all: decode one channel, resize to 224 px (bilinear, antialiased), flip half of them, rotate
by up to 10 degrees (bilinear), standardise each image, stack. DICOM: rescale slope and MONOCHROME1 are honoured
(MONAI's own reader ignores the latter). The files are read again and again until IMAGES are delivered.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from protocol import serve

BATCH, SIZE, WORKERS = 32, 224, 2


def read_dicom(path):
    import pydicom
    from pydicom.pixels import apply_rescale

    file = pydicom.dcmread(path)
    pixels = apply_rescale(file.pixel_array, file).astype(np.float32)
    return pixels.max() - pixels if file.PhotometricInterpretation == "MONOCHROME1" else pixels


def standardise(image):
    return (image - image.mean()) / (image.std() + 1e-6)


class Images(torch.utils.data.Dataset):
    def __init__(self, paths, read, transform):
        self.paths, self.read, self.transform = paths, read, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.transform(self.read(self.paths[index]))


def torchvision_loader(paths, file_type):
    from PIL import Image
    from torchvision.transforms import InterpolationMode, v2

    if file_type == "png":  # PIL images are what torchvision transforms fastest
        def read(path):
            return Image.open(path).convert("L")

        end = [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
    else:
        def read(path):
            return torch.from_numpy(read_dicom(path))[None]

        end = []
    transform = v2.Compose([
        v2.Resize((SIZE, SIZE)),
        v2.RandomHorizontalFlip(),
        v2.RandomRotation(10, interpolation=InterpolationMode.BILINEAR),
        *end,
        standardise,
    ])
    return torch.utils.data.DataLoader(
        Images(paths, read, transform), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)


def monai_loader(paths, file_type):
    from monai import transforms as t
    from monai.data import DataLoader, Dataset

    transform = t.Compose([
        t.LoadImage(reader="PILReader" if file_type == "png" else "PydicomReader", ensure_channel_first=True),
        t.Resize((SIZE, SIZE), mode="bilinear", anti_aliasing=file_type == "png"),  # 128 -> 224 needs none
        t.RandFlip(prob=0.5, spatial_axis=0),
        t.RandRotate(range_x=np.deg2rad(10), prob=1.0, mode="bilinear", padding_mode="zeros"),
        t.NormalizeIntensity(),
    ])
    return DataLoader(
        Dataset(paths, transform), batch_size=BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)


def main():
    library, file_type, folder = sys.argv[1:4]
    images = int(sys.argv[4]) if len(sys.argv) > 4 else 1440
    found = sorted(str(path) for path in Path(folder).glob("*.png" if file_type == "png" else "*.dcm"))
    paths = [found[i % len(found)] for i in range(images)]
    loader = {"torchvision": torchvision_loader, "monai": monai_loader}[library](paths, file_type)

    def measure():
        start = time.perf_counter()
        count = sum(len(batch) for batch in loader)
        return count / (time.perf_counter() - start)

    measure()
    serve(measure)


if __name__ == "__main__":
    main()
