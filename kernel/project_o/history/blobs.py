"""Large outputs, outside of Git, by their hash: only so can they be let go of without writing the history anew.

A state holds a pointer: hash, size, form. Where the content is gone, what is shown in its place says so. Over the quota
those that were not used for longest go first; what a saved or released state shows, and the newest state of each
notebook, stays.

    <store>/blobs/ab/<sha256>      the bytes as they are (what is compressed already)
    <store>/blobs/ab/<sha256>.z    compressed (text)
"""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH116, PTH118, PTH120, PTH208

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Set

BLOBS = "blobs"
COMPRESSED = ".z"
_LEVEL = 1
_NAME = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The large outputs of one store."""

    def __init__(self, store: str) -> None:
        self.folder = os.path.join(store, BLOBS)

    def put(self, data: bytes, *, compress: bool) -> str:
        """Keep a content; its SHA-256. Raises OSError."""
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name) + (COMPRESSED if compress else "")
        if os.path.exists(path):
            self._used(path)
            return name
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fresh = f"{path}.{os.getpid()}.new"
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress(data, _LEVEL) if compress else data)
                file.flush()
                os.fdatasync(file.fileno())  # before the journal lets go of it, and not on the path of a cell
            os.replace(fresh, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
            raise
        return name

    def get(self, name: str) -> bytes | None:
        """A content; None where it was let go of, or is damaged."""
        path = self._path(name)
        for place in (path, path + COMPRESSED):
            try:
                with open(place, "rb") as file:
                    data = file.read()
                if place.endswith(COMPRESSED):
                    data = zlib.decompress(data)
            except (OSError, zlib.error):
                continue
            if hashlib.sha256(data).hexdigest() == name:
                self._used(place)
                return data
        return None

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name[:2], name)

    def _used(self, path: str) -> None:
        with contextlib.suppress(OSError):
            os.utime(path)

    def entries(self) -> Iterator[tuple[str, str, int, float]]:
        """Each (SHA-256, path, bytes on disk, when it was last used)."""
        for folder in _listed(self.folder):
            for name in _listed(os.path.join(self.folder, folder)):
                path = os.path.join(self.folder, folder, name)
                plain = name.removesuffix(COMPRESSED)
                with contextlib.suppress(OSError):
                    found = os.stat(path)
                    yield (plain if _NAME.fullmatch(plain) else ""), path, found.st_blocks * 512, found.st_mtime

    def size_bytes(self) -> int:
        """What they take on the disk."""
        return sum(size for _, _, size, _ in self.entries())

    def evict(self, quota_bytes: int, pinned: Set[str]) -> int:
        """Let go of those that were not used for longest, until the rest is within the quota; the bytes freed."""
        entries = sorted(self.entries(), key=lambda entry: entry[3])
        total, freed = sum(size for _, _, size, _ in entries), 0
        for name, path, size, _ in entries:
            if total - freed <= quota_bytes:
                break
            if name in pinned:
                continue
            with contextlib.suppress(OSError):
                os.unlink(path)
                freed += size
        return freed


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
