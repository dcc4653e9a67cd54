"""gcc by hand: what somebody does who has a C compiler and no workbench."""

from __future__ import annotations

import itertools
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..harness import UnavailableError


def gcc() -> str:
    """The path of gcc. Raises UnavailableError."""
    found = shutil.which("gcc")
    if found is None:
        raise UnavailableError("no gcc on this machine: install it to compare with it")
    return found


def shared_library(source: str, path: Path, *options: str) -> Path:
    """Compile C with ``-O3 -shared -fPIC`` into ``path``."""
    code = path.with_suffix(".c")
    code.write_text(source, "utf-8")
    command = [gcc(), "-O3", "-shared", "-fPIC", *options, "-o", str(path), str(code)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def fresh_numbers() -> Iterator[int]:
    """Numbers that no source of an earlier run holds, small enough that float32 sums of them are exact."""
    return itertools.count(1 + secrets.randbelow(1_000_000))
