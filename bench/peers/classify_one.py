"""A fresh process that classifies one DICOM file with a ResNet-18 at 224 px.

  classify_one.py pytorch|monai WEIGHTS.safetensors FILE.dcm      writes random WEIGHTS first where there are none
"""

import sys
from pathlib import Path


def pytorch_model():
    from torchvision.models import resnet18

    return resnet18(num_classes=2)


def monai_model():
    from monai.networks.nets import resnet18

    return resnet18(spatial_dims=2, n_input_channels=3, num_classes=2)


def pytorch_image(path):
    import numpy as np
    import pydicom
    import torch
    from pydicom.pixels import apply_rescale
    from torchvision.transforms import v2

    file = pydicom.dcmread(path)
    pixels = apply_rescale(file.pixel_array, file).astype(np.float32)
    if file.PhotometricInterpretation == "MONOCHROME1":
        pixels = pixels.max() - pixels
    image = v2.functional.resize(torch.from_numpy(pixels)[None], [224, 224])
    return ((image - image.mean()) / image.std()).expand(3, -1, -1)


def monai_image(path):
    from monai import transforms as t

    return t.Compose([
        t.LoadImage(reader="PydicomReader", ensure_channel_first=True),
        t.Resize((224, 224)),
        t.NormalizeIntensity(),
        t.RepeatChannel(3),
    ])(path)


def main():
    library, weights, path = sys.argv[1:4]
    import torch
    from safetensors.torch import load_file, save_file

    model = {"pytorch": pytorch_model, "monai": monai_model}[library]().eval()
    if not Path(weights).exists():
        save_file(model.state_dict(), weights)
        return
    model.load_state_dict(load_file(weights))
    image = {"pytorch": pytorch_image, "monai": monai_image}[library](path)
    with torch.inference_mode():
        probabilities = model(image[None]).softmax(1)[0].tolist()
    print(Path(path).stem, *(f"{p:.6f}" for p in probabilities))


if __name__ == "__main__":
    main()
