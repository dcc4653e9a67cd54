"""The copy of a server's library: the same bytes, and no more of them on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from project_o.toolchain.quick.exports import _copy

BLOCK = 1 << 16


@pytest.mark.parametrize(
    "pieces",
    [
        {},
        {0: b"begin"},
        {3 * BLOCK: b"x" * BLOCK, 9 * BLOCK: b"y"},
        {0: b"a" * BLOCK, 5 * BLOCK: b"b" * 7, 19 * BLOCK: b"c" * BLOCK},
    ],
)
def test_a_copy_has_the_holes_of_its_original(tmp_path: Path, pieces: dict[int, bytes]) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    with open(original, "wb") as file:
        file.truncate(20 * BLOCK)
        for at, piece in pieces.items():
            file.seek(at)
            file.write(piece)
    with open(original, "rb") as source, open(copy, "wb") as target:
        _copy(source.fileno(), target.fileno(), os.fstat(source.fileno()).st_size)

    assert copy.read_bytes() == original.read_bytes()
    assert copy.stat().st_blocks <= original.stat().st_blocks
