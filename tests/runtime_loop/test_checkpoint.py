"""Checkpoints: what is damaged is passed over, what is of another run is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from pdespec.runtime.checkpoint import (
    CHECKPOINTS,
    ResumeMismatch,
    forget_checkpoints,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)

WHO = {"spec": "5c1f", "seed": "0"}


def saved(folder: Path, count: int) -> None:
    for k in range(1, count + 1):
        save_checkpoint(folder, {"fingerprint": WHO, "k": k, "tensor": torch.full((300,), float(k))})


def test_the_last_three_are_kept(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path, WHO) is None
    saved(tmp_path, 5)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(CHECKPOINTS)
    found = load_checkpoint(tmp_path, WHO)
    assert found is not None and found["k"] == 5 and torch.equal(found["tensor"], torch.full((300,), 5.0))
    forget_checkpoints(tmp_path)
    assert load_checkpoint(tmp_path, WHO) is None


def test_a_kill_between_the_renames(tmp_path: Path) -> None:
    saved(tmp_path, 3)
    (tmp_path / CHECKPOINTS[0]).rename(tmp_path / CHECKPOINTS[1])
    found = load_checkpoint(tmp_path, WHO)
    assert found is not None and found["k"] == 3
    saved(tmp_path, 1)
    (tmp_path / CHECKPOINTS[0]).unlink()
    found = load_checkpoint(tmp_path, WHO)
    assert found is not None and found["k"] == 3


def test_truncated_at_any_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(tmp_path, 2)
    newest = tmp_path / CHECKPOINTS[0]
    content = newest.read_bytes()
    for length in [0, 1, 100, len(content) // 2, len(content) - 23, len(content) - 1]:
        newest.write_bytes(content[:length])
        found = load_checkpoint(tmp_path, WHO)
        assert found is not None and found["k"] == 1
        assert f"{newest} cannot be read" in capsys.readouterr().err


def test_a_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    saved(tmp_path, 2)
    newest, draw = tmp_path / CHECKPOINTS[0], random.Random(0)
    content = newest.read_bytes()
    passed_over = 0
    for _ in range(120):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        newest.write_bytes(damaged)
        found = load_checkpoint(tmp_path, WHO)
        assert found is not None
        assert torch.equal(found["tensor"], torch.full((300,), float(found["k"])))
        passed_over += found["k"] == 1
    assert passed_over > 60  # the others fell on padding


def test_no_code_runs_and_none_readable_is_an_error(tmp_path: Path) -> None:
    torch.save({"fingerprint": WHO, "k": Path("x")}, tmp_path / CHECKPOINTS[0])  # not plain data
    with pytest.raises(ResumeMismatch, match="none of the checkpoints"):
        load_checkpoint(tmp_path, WHO)


def test_another_run_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    with pytest.raises(ResumeMismatch, match="seed is 0 there and 1 here"):
        load_checkpoint(tmp_path, WHO | {"seed": "1"})


def test_a_failed_write_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
