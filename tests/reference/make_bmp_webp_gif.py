"""Writes the BMP, WebP and GIF images of images/ with Pillow 13.0; what Pillow does not write is put together here, and
Pillow must read it as it is meant.

Every image is 12 high and 10 wide. With a = 10 y + x (0 .. 119), channel c of a sample is 2 a + c, unless the table says
otherwise; colour i of a palette is (2 i, 2 i + 1, 2 i + 2).
"""
import io
import pathlib
import struct

import numpy as np
from PIL import Image

folder = pathlib.Path(__file__).parent / "images"
height, width = 12, 10
a = np.arange(height * width).reshape(height, width)
c = np.arange(3)
colours = (2 * np.arange(256)[:, None] + c) % 256
rgb = (2 * a[..., None] + c).astype(np.uint8)
grey = (2 * a).astype(np.uint8)
nothing = b""


def pillow(name, image, **options):
    image.save(folder / name, **options)


def of_palette(index):
    image = Image.fromarray(index.astype(np.uint8), mode="P")
    image.putpalette(colours.astype(np.uint8).tobytes())
    return image


# --- BMP
def keep(name, file, wanted, most=0):
    """`wanted` is what Pillow has to read, but for `most`: it rounds 5 and 6 bits down."""
    (folder / name).write_bytes(file)
    mode = "L" if wanted.ndim == 2 else "RGB"
    found = np.array(Image.open(io.BytesIO(file)).convert(mode)).astype(int)
    assert np.abs(found - wanted).max() <= most, name


def bmp(rows, bits, palette=nothing, compression=0, size=40, masks=nothing, sign=1, used=0):
    """`rows` from below, as they are stored."""
    if size == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", size, width, sign * height, 1, bits, compression, len(rows), 0, 0, used, 0)
        header += masks
        header += bytes(max(0, size - len(header)))
    at = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + header + palette + rows


def packed(index, bits):
    rows = nothing
    for line in index[::-1]:
        text = "".join(f"{value:0{bits}b}" for value in line)
        row = int(text.ljust(-(-len(text) // 32) * 32, "0"), 2)
        rows += row.to_bytes(-(-len(text) // 32) * 4, "big")
    return rows


def entries(count, palette=colours, bytes_each=4):
    return b"".join(bytes([*map(int, palette[i][::-1]), 0])[:bytes_each] for i in range(count))


def words(pixels, code):
    return b"".join(line.astype(code).tobytes() for line in pixels[::-1])


def run_lengths(index, bits):
    """Each row: its first three colours as they are, then runs."""
    rows = nothing
    for line in index[::-1]:
        literal = bytes([*map(int, line[:3]), 0]) if bits == 8 else bytes([line[0] << 4 | line[1], line[2] << 4])
        rows += bytes([0, 3]) + literal
        at = 3
        while at < width:
            end = at
            while end < width and line[end] == line[at]:
                end += 1
            rows += bytes([end - at, line[at] if bits == 8 else line[at] * 17])
            at = end
        rows += bytes([0, 0])
    return rows[:-2] + bytes([0, 1])


pillow("grey1.bmp", Image.fromarray((a % 2 * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE))
pillow("grey8.bmp", Image.fromarray(grey))
pillow("palette8.bmp", of_palette(a))
pillow("rgb24.bmp", Image.fromarray(rgb))
pillow("rgb32.bmp", Image.fromarray(np.dstack([rgb, grey])))
of = {bits: (a // (1 if bits == 8 else 3)) % 2**bits for bits in [1, 4, 8]}  # the colour of a pixel
for bits in [1, 4]:
    keep(f"palette{bits}.bmp", bmp(packed(of[bits], bits), bits, entries(2**bits)), colours[of[bits]])
greys = 17 * np.arange(16)[:, None].repeat(3, axis=1)
keep("grey4.bmp", bmp(packed(of[4], 4), 4, entries(16, greys)), greys[of[4]][..., 0])
keep("few_colours8.bmp", bmp(packed(a, 8), 8, entries(120), used=120), rgb)
keep("top_down8.bmp", bmp(packed(a[::-1], 8), 8, entries(256), sign=-1), rgb)
keep("core8.bmp", bmp(packed(a, 8), 8, entries(256, bytes_each=3), size=12), rgb)
keep("core24.bmp", bmp(b"".join(line[:, ::-1].tobytes() + bytes(2) for line in rgb[::-1]), 24, size=12), rgb)
keep("os2_8.bmp", bmp(packed(a, 8), 8, entries(256), size=64), rgb)
of["run"] = a // 4
keep("rle8.bmp", bmp(run_lengths(of["run"], 8), 8, entries(256), 1), colours[of["run"]])
keep("rle4.bmp", bmp(run_lengths(of["run"] % 16, 4), 4, entries(16), 2), colours[of["run"] % 16])
# Colour 9 in four pixels from (2, 1) on, counted from below left, and one of colour 8 in (5, 6); the rest is jumped over,
# which Pillow does not read.
jumps = bytes([0, 2, 2, 1, 4, 9, 0, 0, 0, 2, 5, 4, 1, 8, 0, 1])
(folder / "jumps8.bmp").write_bytes(bmp(jumps, 8, entries(256), 1))
five = (a[..., None] + c) % 32
six = np.stack([five[..., 0], (a + 1) % 64, five[..., 2]], axis=-1)
scaled = five * 255 / 31
keep("rgb555.bmp", bmp(words(five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2], "<u2"), 16), scaled, 1)
keep("rgb565.bmp", bmp(words(six[..., 0] << 11 | six[..., 1] << 5 | six[..., 2], "<u2"), 16, compression=3,
                       masks=struct.pack("<III", 0xf800, 0x7e0, 0x1f)), six * 255 / [31, 63, 31], 1)
wide = rgb.astype(np.uint32)
keep("rgba32.bmp", bmp(words(wide[..., 0] << 24 | wide[..., 1] << 16 | wide[..., 2] << 8 | 7, "<u4"), 32, compression=3, size=124,
                       masks=struct.pack("<IIII", 0xff000000, 0xff0000, 0xff00, 0xff)), rgb)

# --- WebP: with loss what Pillow decodes is in a .npy of the same name
smooth = np.clip(40 * np.sin(a / 17) + 100, 0, 255).astype(np.uint8)
pillow("rgb.webp", Image.fromarray(rgb), lossless=True)
pillow("rgba.webp", Image.fromarray(np.dstack([rgb, grey])), lossless=True, exact=True)
pillow("lossy.webp", Image.fromarray(np.stack([smooth, 255 - smooth, smooth // 2], axis=-1)), quality=90)
np.save(folder / "lossy_webp.npy", np.array(Image.open(folder / "lossy.webp")))
turned = Image.Exif()
turned[0x0112] = 6
pillow("turned.webp", Image.fromarray(rgb), lossless=True, exif=turned)
pillow("animated.webp", Image.fromarray(rgb), lossless=True, save_all=True,
       append_images=[Image.fromarray(255 - rgb), Image.fromarray(rgb // 2)])

# --- GIF
pillow("grey.gif", Image.fromarray(grey), optimize=False)
pillow("palette.gif", of_palette(a), interlace=0)
pillow("interlaced.gif", of_palette(a), interlace=1)
pillow("transparent.gif", of_palette(a), transparency=7)
pillow("animated.gif", of_palette(a), save_all=True, append_images=[of_palette(a[::-1]), of_palette(a[:, ::-1])])
