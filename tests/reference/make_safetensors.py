"""Writes weights.safetensors with the safetensors package (0.8.0, NumPy 2.4): one tensor per dtype, values 0, 1, 2, ..."""
import pathlib

import numpy as np
from safetensors import numpy as st

folder = pathlib.Path(__file__).parent
tensors = {name: np.arange(6, dtype=dtype).reshape(2, 3) for name, dtype in [
    ("u8", np.uint8), ("i8", np.int8), ("u16", np.uint16), ("i16", np.int16), ("u32", np.uint32), ("i32", np.int32),
    ("u64", np.uint64), ("i64", np.int64), ("f16", np.float16), ("f32", np.float32), ("f64", np.float64)]}
tensors["negative"] = -np.arange(3, dtype=np.float32) / 4
tensors["bool"] = np.array([True, False, True])
tensors["scalar"] = np.array(2.5, dtype=np.float32)
tensors["empty"] = np.zeros((0, 4), dtype=np.float32)
tensors["größe"] = np.array([7], dtype=np.int64)
st.save_file(tensors, folder / "weights.safetensors", metadata={"note": "a \"quote\""})
