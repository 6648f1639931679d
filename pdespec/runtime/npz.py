"""NumPy's `.npz` without NumPy: a zip archive of `.npy` members, each a one-line header and the raw entries.

Format: numpy.lib.format, version 1.0, little-endian. The header is matched against the one pattern that NumPy writes,
never evaluated, and every size is checked against the limit before memory is taken.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from pdespec.runtime.checkpoint import write_atomically

NPY_TYPES = {
    "<f8": torch.float64,
    "<f4": torch.float32,
    "<i8": torch.int64,
    "<i4": torch.int32,
    "|b1": torch.bool,
    "<c16": torch.complex128,
}


def npy_bytes(tensor: Tensor) -> bytes:
    """A tensor as a `.npy` file, in C order."""
    tensor = tensor.detach().cpu().contiguous().resolve_conj()
    descr = next((descr for descr, dtype in NPY_TYPES.items() if dtype == tensor.dtype), None)
    if descr is None:
        raise TypeError(f"a tensor of {tensor.dtype} cannot be written to .npz")
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(tensor.shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"  # the entries start at a multiple of 64
    entries = bytearray(tensor.nbytes)
    if entries:
        torch.frombuffer(entries, dtype=tensor.dtype).copy_(tensor.flatten())
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii") + entries


def write_npz(path: Path, arrays: dict[str, Tensor]) -> None:
    """Write named tensors so that `numpy.load(path)` reads them; the same tensors give the same bytes."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, tensor in arrays.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy_bytes(tensor))

    write_atomically(path, write)
