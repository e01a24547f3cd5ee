"""Writes the small images and arrays of images/ with Pillow 13.0, tifffile 2026.3, OpenCV 5.0, pypng 0.20220715,
imagecodecs 2026.3 and NumPy 2.4.

Every image but the noise of png_… is 12 high and 10 wide. With a = 10 y + x (0 .. 119), samples are 2 a where unsigned
or floating point, 3 a - 50 where signed, 500 a for PNG of 16 bits; the channels of a colour image are v, v + 1, v + 2.
JPEG is not exact: what Pillow decodes is in a .npy of the same name.
"""
import io
import pathlib
import zlib

import cv2
import imagecodecs
import numpy as np
import png
import tifffile
from PIL import Image

folder = pathlib.Path(__file__).parent / "images"
folder.mkdir(exist_ok=True)
a = np.arange(120).reshape(12, 10)


def path(name):
    return str(folder / name)


def colour(v):
    return np.stack([v, v + 1, v + 2], axis=-1)


# --- PNG
u8, u16 = (2 * a).astype(np.uint8), (500 * a).astype(np.uint16)
Image.fromarray(u8).save(path("grey8.png"))
Image.fromarray(u16).save(path("grey16.png"))
Image.fromarray(colour(u8)).save(path("rgb8.png"))
cv2.imwrite(path("rgb16.png"), colour(u16)[..., ::-1])
Image.fromarray(np.dstack([colour(u8), u8])).save(path("rgba8.png"))
Image.fromarray(np.dstack([u8, u8]), mode="LA").save(path("grey_alpha8.png"))
palette = Image.fromarray(a.astype(np.uint8), mode="P")
palette.putpalette(sum(([2 * i % 256, (2 * i + 1) % 256, (2 * i + 2) % 256] for i in range(256)), []))
palette.save(path("palette.png"))
Image.fromarray((a % 2 * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE).save(path("grey1.png"))

# Noise of every colour type and depth: png_<name>.png, the same with _interlaced or _<filter> appended, and what Pillow
# reads (OpenCV for 16 bits, which Pillow reduces) as member <name> of png.npz, alpha left out.
random = np.random.default_rng(1)
decoded = {}


def keep(name, ending, file):
    (folder / f"png_{name}{ending}.png").write_bytes(file)
    if "16" in name:
        pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
        if pixels.ndim == 3:
            pixels = pixels[..., 0] if name.startswith("grey") else pixels[..., ::-1]
    else:
        pixels = np.array(Image.open(io.BytesIO(file)).convert("L" if name.startswith("grey") else "RGB"))
    assert np.array_equal(decoded.setdefault(name, pixels), pixels)


def write(name, bits, channels, height=11, width=13, endings=("", "_interlaced"), **options):
    rows = random.integers(0, 2**bits, (height, width * channels)).tolist()
    for ending in endings:
        file = io.BytesIO()
        png.Writer(width=width, height=height, bitdepth=bits, interlace=bool(ending), **options).write(file, rows)
        keep(name, ending, file.getvalue())


for bits in [1, 2, 4, 8, 16]:
    write(f"grey_{bits}", bits, 1, greyscale=True)
for bits in [1, 2, 4, 8]:
    write(f"palette_{bits}", bits, 1, palette=[tuple(map(int, random.integers(0, 256, 3))) for _ in range(2**bits)])
for bits in [8, 16]:
    write(f"rgb_{bits}", bits, 3, greyscale=False)
    write(f"grey_alpha_{bits}", bits, 2, greyscale=True, alpha=True)
    write(f"rgb_alpha_{bits}", bits, 4, greyscale=False, alpha=True)
for height, width in [(1, 1), (1, 5), (2, 5), (5, 2), (3, 4), (8, 1)]:  # some of the seven passes are empty
    write(f"rgb_8_of_{height}x{width}", 8, 3, height, width, ["_interlaced"], greyscale=False)
for name, shape, code in [("grey_8_wide", (6, 300), "u1"), ("grey_16_wide", (6, 20), "u2"), ("rgb_8_wide", (6, 90, 3), "u1"),
                          ("rgb_16_wide", (6, 20, 3), "u2"), ("rgb_alpha_8_wide", (6, 20, 4), "u1")]:
    smooth = np.cumsum(random.integers(-2, 3, shape), axis=1) + np.iinfo(code).max // 2
    for i, filter in enumerate(["NONE", "SUB", "UP", "AVG", "PAETH"]):
        file = imagecodecs.png_encode(smooth.astype(code), filter=getattr(imagecodecs.PNG.FILTER, filter))
        rows = zlib.decompress(b"".join(data for name, data in png.Reader(bytes=file).chunks() if name == b"IDAT"))
        assert set(rows[::len(rows) // 6]) == {i}
        keep(name, f"_{filter.lower()}", file)
np.savez_compressed(path("png.npz"), **decoded)

# --- JPEG
smooth = np.clip(40 * np.sin(a / 17) + 100, 0, 255).astype(np.uint8)
rgb = np.stack([smooth, 255 - smooth, smooth // 2], axis=-1)
turned = Image.Exif()
turned[0x0112] = 6
for name, image, options in [("grey", Image.fromarray(smooth), {}), ("rgb", Image.fromarray(rgb), {"subsampling": 0}),
                               ("progressive", Image.fromarray(rgb), {"subsampling": 0, "progressive": True}),
                               ("turned", Image.fromarray(smooth), {"exif": turned})]:
    image.save(path(name + ".jpg"), quality=90, **options)
    np.save(path(name + "_jpg.npy"), np.array(Image.open(path(name + ".jpg"))))
Image.fromarray(np.dstack([rgb, smooth]), mode="CMYK").save(path("cmyk.jpg"))

# --- TIFF
def tiff(name, v, **options):
    tifffile.imwrite(path(name + ".tif"), v, metadata=None, software=False, **options)


for code in ["u1", "u2", "u4", "f4", "f8"]:
    tiff("grey_" + code, (2 * a).astype(code))
for code in ["i1", "i2", "i4"]:
    tiff("grey_" + code, (3 * a - 50).astype(code))
for code in ["u1", "u2", "f4"]:
    tiff("rgb_" + code, colour((2 * a).astype(code)), photometric="rgb")
for code in ["u1", "u2"]:
    tiff("white_" + code, (2 * a).astype(code), photometric="miniswhite")
for code in ["lzw", "deflate", "packbits"]:
    tiff(code + "_u2", (2 * a).astype("u2"), compression=code, predictor=None if code == "packbits" else True)
tiff("big_endian_u2", (2 * a).astype(">u2"), byteorder=">")
tiff("tiled_u2", (2 * a).astype("u2"), tile=(16, 16))
tiff("tiled_u1", u8, tile=(16, 16))
tiff("tiled_rgb_u1", colour(u8), photometric="rgb", tile=(16, 16), compression="deflate")
tiff("pages_u2", np.stack([2 * a, 2 * a + 1000, 2 * a + 2000]).astype("u2"), photometric="minisblack")
tiff("planar_u2", np.moveaxis(colour((2 * a).astype("u2")), -1, 0), photometric="rgb", planarconfig="separate")
tiff("rgba_u1", np.dstack([colour(u8), u8]), photometric="rgb", extrasamples=["unassalpha"])
tiff("bit1", (a % 2).astype(bool), photometric="minisblack")
tiff("tiled_bit1", (a % 2).astype(bool), photometric="minisblack", tile=(16, 16))
Image.fromarray((a % 2 * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE).save(path("fax_bit1.tif"),
                                                                                            compression="group4")
tiff("predicted_f4", (2 * a).astype("f4"), compression="lzw", predictor=3)
# Not exact: what imagecodecs (JPEG in strips and tiles) decodes is in a .npy of the same name.
for name, options in [("strips", {"rowsperstrip": 16}), ("tiles", {"tile": (16, 16)})]:
    tiff("ycbcr_" + name, rgb, photometric="ycbcr", compression="jpeg", subsampling=(2, 2), **options)
    np.save(path(f"ycbcr_{name}_tif.npy"), tifffile.imread(path(f"ycbcr_{name}.tif")))
tiff("jpeg_u1", smooth, photometric="minisblack", compression="jpeg")
np.save(path("jpeg_u1_tif.npy"), tifffile.imread(path("jpeg_u1.tif")))
ramp = np.zeros((3, 256), np.uint16)
ramp[:] = (2 * np.arange(256) + np.arange(3)[:, None]) % 256 * 257
tiff("palette_u1", a.astype("u1"), photometric="palette", colormap=ramp)
tifffile.imwrite(path("bigtiff.tif"), u8, bigtiff=True, metadata=None, software=False)

# --- npy, npz: values 0, 1, 2, … in C order of their shape
def numbers(code, shape=(2, 3, 4)):
    return np.arange(np.prod(shape)).reshape(shape).astype(code)


for code in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]:
    np.save(path(f"c_{code}.npy"), numbers(code))
np.save(path("bool.npy"), numbers("i4") % 2 == 1)
np.save(path("fortran_f4.npy"), np.asfortranarray(numbers("f4")))
np.save(path("big_endian_i4.npy"), numbers(">i4"))
np.save(path("fortran_big_endian_f8.npy"), np.asfortranarray(numbers(">f8")))
np.save(path("scalar.npy"), np.float64(2.5))
np.save(path("empty.npy"), numbers("f4", (0, 5)))
np.save(path("halves.npy"), np.array([0, -0.0, 1, -2, 65504, 2**-14, 2**-24, np.inf, -np.inf], np.float16))
for version in [(2, 0), (3, 0)]:
    with open(path(f"version{version[0]}.npy"), "wb") as file:
        np.lib.format.write_array(file, numbers("i2"), version=version)
np.save(path("object.npy"), np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
np.save(path("structured.npy"), np.zeros(2, dtype=[("x", "f4"), ("y", "i4")]))
np.save(path("complex.npy"), np.zeros(2, np.complex64))
np.savez(path("stored.npz"), images=numbers("u1"), labels=numbers("i8", (5,)))
np.savez_compressed(path("deflated.npz"), images=numbers("u1", (20, 10)), labels=np.asfortranarray(numbers("i8", (5, 2))))
