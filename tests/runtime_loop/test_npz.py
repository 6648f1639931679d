"""`.npz` files against NumPy, which shares no code with ours."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pdespec.runtime.npz import write_npz

SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (2, 3, 4)]
TYPES = [np.float64, np.float32, np.int64, np.int32, np.bool_, np.complex128]


def example(shape: tuple[int, ...], kind: type) -> np.ndarray:
    count = int(np.prod(shape))
    values = np.arange(count) * (1.5 - 0.5j if kind is np.complex128 else 0.75) - 1
    return np.asarray(values.reshape(shape)).astype(kind)


def equal(ours: torch.Tensor, theirs: np.ndarray) -> bool:
    return str(ours.dtype).removeprefix("torch.") == str(theirs.dtype) and ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("kind", TYPES)
def test_numpy_reads_what_is_written(tmp_path: Path, kind: type) -> None:
    arrays = {f"a{k}": example(shape, kind) for k, shape in enumerate(SHAPES)}
    written = {name: torch.from_numpy(array) for name, array in arrays.items()}
    write_npz(tmp_path / "ours.npz", written)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as loaded:
        assert set(loaded) == set(arrays)
        assert all(equal(written[name], loaded[name]) and loaded[name].shape == arrays[name].shape for name in arrays)


def test_layouts(tmp_path: Path) -> None:
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
