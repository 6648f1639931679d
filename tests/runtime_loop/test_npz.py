"""`.npz` files against NumPy, which shares no code with ours, and against files that lie."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdespec.runtime.npz import read_npz, write_npz

SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (2, 3, 4)]
TYPES = [np.float64, np.float32, np.int64, np.int32, np.bool_, np.complex128]


def example(shape: tuple[int, ...], kind: type) -> np.ndarray:
    count = int(np.prod(shape))
    values = np.arange(count) * (1.5 - 0.5j if kind is np.complex128 else 0.75) - 1
    return np.asarray(values.reshape(shape)).astype(kind)


def equal(ours: torch.Tensor, theirs: np.ndarray) -> bool:
    return str(ours.dtype).removeprefix("torch.") == str(theirs.dtype) and ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("kind", TYPES)
def test_both_ways(tmp_path: Path, kind: type) -> None:
    arrays = {f"a{k}": example(shape, kind) for k, shape in enumerate(SHAPES)}
    np.savez(tmp_path / "theirs.npz", **arrays)
    read = read_npz(tmp_path / "theirs.npz")
    assert read.keys() == arrays.keys() and all(equal(read[name], arrays[name]) for name in arrays)
    assert [tuple(read[name].shape) for name in arrays] == SHAPES
    write_npz(tmp_path / "ours.npz", read)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as loaded:
        assert set(loaded) == set(arrays)
        assert all(equal(read[name], loaded[name]) and loaded[name].shape == arrays[name].shape for name in arrays)


def test_layouts(tmp_path: Path) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    np.savez_compressed(tmp_path / "f.npz", fortran=np.asfortranarray(array), c=array)
    read = read_npz(tmp_path / "f.npz")
    assert read["fortran"].tolist() == array.tolist() == read["c"].tolist()
    tensor = torch.arange(6.0).reshape(2, 3)
    strided = {"t": tensor.T, "conj": torch.complex(tensor, tensor).to(torch.complex128).conj(), "g": tensor * 1}
    strided["g"].requires_grad_()
    write_npz(tmp_path / "ours.npz", strided)
    with np.load(tmp_path / "ours.npz") as loaded:
        assert loaded["t"].tolist() == tensor.T.tolist() and loaded["g"].tolist() == tensor.tolist()
        assert loaded["conj"].imag.tolist() == (-tensor).tolist()


def test_same_tensors_same_bytes(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"u": torch.ones(3)})
    time.sleep(2.1 if (tmp_path / "a.npz").stat().st_mtime % 2 > 1.9 else 0)  # zip has a clock of two seconds
    write_npz(tmp_path / "b.npz", {"u": torch.ones(3)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.npz", "b.npz"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="bfloat16"):
        write_npz(tmp_path / "a.npz", {"u": torch.ones(3, dtype=torch.bfloat16)})


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{}, None], dtype=object), "another kind"),
        (np.zeros(3, dtype=">f8"), "another kind"),
        (np.zeros(3, dtype=[("a", "f8")]), "another kind"),
        (np.array("text"), "another kind"),
        (np.zeros(1 << 18), "left of the limit"),
    ],
)
def test_what_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.savez_compressed(tmp_path / "a.npz", good=np.ones(2), bad=array)
    with pytest.raises(ValueError, match=f"bad.*{message}"):
        read_npz(tmp_path / "a.npz", limit=1 << 20)


def member(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode() + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an array"),
        (b"PK", "not an array"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", b"\0" * 15), "15 bytes"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", b"\0" * 17), "17 bytes"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }\n"), "another kind"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (1e3,), }\n"), "another kind"),
        (member("{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (), }\n"), "another kind"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1" * 60000 + "x), }\n"), "another kind"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 18 + ",), }\n"), "limit"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (" + ("9" * 18 + ", ") * 3 + "0), }\n"), "readable"),
        (member("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n", b"\0" * 8, b"\x02\x00"), "format 1.0"),
    ],
)
def test_members_that_lie(tmp_path: Path, content: bytes, message: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("u.npy", content)
    began = time.monotonic()
    with pytest.raises(ValueError, match=message):
        read_npz(tmp_path / "a.npz")
    assert time.monotonic() - began < 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 10**6))
def test_damage_is_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(5.0), b=np.eye(3, dtype=np.int32))
    content = bytearray(buffer.getvalue())
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content[: cut % (2 * len(content))])
    try:
        read_npz(path)
    except ValueError as problem:
        assert "damaged.npz" in str(problem)
