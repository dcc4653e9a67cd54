"""The name that git gives to a folder's content: what ``git rev-parse HEAD:FOLDER`` says of a folder as committed.

It is computed from the files, so that a module has the same hash in a checkout, in an installed package, and where no
git is; and a change that was not committed yet has one, too.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .. import limits
from ..errors import UsageError

_LEFT_OUT = frozenset({"__pycache__", "target"})


def git_tree(folder: Path) -> str:
    """The tree id, as 40 hexadecimal digits. Hidden files, ``__pycache__`` and ``target`` are not of the module.

    Raises UsageError for a folder with more files than a module can mean.
    """
    return _tree(str(folder), [limits.MODULE_FILES_MAX]).hex()


def _tree(folder: str, left: list[int]) -> bytes:
    rows = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _LEFT_OUT:
                continue
            left[0] -= 1
            if left[0] < 0:
                raise UsageError(
                    f"{folder} has more than {limits.MODULE_FILES_MAX} files: a module has a folder of its own"
                )
            name = os.fsencode(entry.name)
            if entry.is_symlink():
                rows.append((name, b"120000", _object(b"blob", os.fsencode(os.readlink(entry.path)))))  # noqa: PTH115
            elif entry.is_dir():
                # git sorts a folder as if its name ended in a slash, and knows no empty ones.
                if (below := _tree(entry.path, left)) != _EMPTY:
                    rows.append((name + b"/", b"40000", below))
            elif entry.is_file():
                mode = b"100755" if entry.stat().st_mode & 0o100 else b"100644"
                rows.append((name, mode, _object(b"blob", Path(entry.path).read_bytes())))
    body = b"".join(mode + b" " + name.rstrip(b"/") + b"\0" + hash_ for name, mode, hash_ in sorted(rows))
    return _object(b"tree", body)


def _object(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha1(kind + b" %d\0" % len(content) + content, usedforsecurity=False).digest()


_EMPTY = _object(b"tree", b"")
