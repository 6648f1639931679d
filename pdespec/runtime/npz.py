"""NumPy's `.npz` without NumPy: a zip archive of `.npy` members, each a one-line header and the raw entries.

Format: numpy.lib.format, version 1.0, little-endian. The header is matched against the one pattern that NumPy writes,
never evaluated, and every size is checked against the limit before memory is taken.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
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
NPY_HEADER = r"\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,18}, ?)*\d{0,18})\), \} *\n"


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


def read_npz(path: Path, limit: int = 1 << 30) -> dict[str, Tensor]:
    """The arrays that `numpy.savez` or `write_npz` put into `path`, at most `limit` bytes in all.

    Raises ValueError, naming the array, for what is not such a file or is too large.
    """
    arrays = {}
    with path.open("rb") as whole:
        try:
            with zipfile.ZipFile(whole) as archive:
                for member in archive.infolist():
                    name = member.filename.removesuffix(".npy")
                    with archive.open(member) as file:
                        arrays[name] = read_npy(file, f"{path}: {name}", limit)
                    limit -= arrays[name].nbytes
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as problem:
            raise ValueError(f"{path} is not a readable .npz file: {problem}") from problem
    return arrays


def read_npy(file: IO[bytes], label: str, limit: int) -> Tensor:
    """One member of a `.npz`; `label` names it in errors."""
    start = file.read(10)
    if start[:8] != b"\x93NUMPY\x01\x00" or len(start) < 10:
        raise ValueError(f"{label} is not an array in .npy format 1.0")
    header = re.fullmatch(NPY_HEADER, file.read(*struct.unpack("<H", start[8:])).decode("latin-1"))
    if header is None or header[1] not in NPY_TYPES:
        raise ValueError(f"{label} has entries of another kind than {', '.join(NPY_TYPES)}")
    shape, dtype = [int(n) for n in re.findall(r"\d+", header[3])], NPY_TYPES[header[1]]
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        raise ValueError(f"{label} would take {size} bytes, and {limit} are left of the limit")
    entries = bytearray(file.read(size + 1))
    if len(entries) != size:
        raise ValueError(f"{label} holds {len(entries)} bytes or more where its shape says {size}")
    flat = torch.frombuffer(entries, dtype=dtype) if entries else torch.empty(0, dtype=dtype)
    if header[2] == "True":  # Fortran order: the axes are stored in reverse
        return flat.reshape(shape[::-1]).permute(tuple(range(len(shape)))[::-1])
    return flat.reshape(shape)
