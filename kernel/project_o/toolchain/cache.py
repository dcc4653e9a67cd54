"""Builds by content, shared by every kernel of the user.

``artifacts/KEY/`` holds ``library.so``, ``facts.json`` (its hash, the interface, how it was built), ``tried/`` (one
empty file for each function whose first call went well), and links to the shared libraries that it needs. An entry is
made elsewhere and renamed into place, so that it is there whole or not at all; one that does not fit its hash is
removed and built again.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import ToolchainError
from .places import cache_directory

FORMAT = 2
"""Of an entry. 1: without a number."""
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: lambda facts: {**facts, "format": 2}}
LIBRARY = "library.so"
_FACTS = "facts.json"
_TRIED = "tried"
_NEW = ".new-"
_EVICT_EVERY = 32
_NAME_CHARACTERS_MAX = 100
_published = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A build that is there and whole."""

    key: str
    folder: Path
    facts: dict[str, Any]

    @property
    def library(self) -> Path:
        """The shared library's path."""
        return self.folder / LIBRARY


def find(key: str) -> Entry | None:
    """The entry of ``key``, marked as used now; None where there is none. A damaged one is removed."""
    for folder in _candidates(key):
        try:
            kept = f"{folder}/{_FACTS}"
            facts = json.loads(_read(kept))
            if _format(facts) > FORMAT:
                return None  # of a newer project-o, which goes on using it
            facts = _migrated(facts)
            data = _read(f"{folder}/{LIBRARY}")
            if facts["sha256"] == hashlib.sha256(data).hexdigest() and _complete(folder, facts):
                with suppress(OSError):
                    os.utime(kept)
                return Entry(key, folder, facts)
        except FileNotFoundError:
            if not folder.is_dir():
                continue
        except (OSError, ValueError, KeyError, TypeError):
            pass
        _discard(folder)
    return None


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def _format(facts: Any) -> int:
    number = facts.get("format", 1) if isinstance(facts, dict) else 1
    return number if isinstance(number, int) else 1


def _migrated(facts: dict[str, Any]) -> dict[str, Any]:
    """What an older format says, in the words of this one. Raises KeyError, TypeError for what cannot be meant."""
    for number in range(_format(facts), FORMAT):
        facts = _MIGRATIONS[number](facts)
    return facts


def _complete(folder: Path, facts: dict[str, Any]) -> bool:
    return all((folder / Path(path).name).is_file() for path in facts.get("beside", ()))


def publish(key: str, data: bytes, facts: dict[str, Any], beside: Sequence[Path] = ()) -> Entry:
    """Keep a build. Where the cache cannot be written it is kept for this process only, with one warning.

    ``beside`` are the shared libraries that it needs and the system does not have: they are linked to from its folder.
    Raises ToolchainError where neither is possible.
    """
    global _published
    facts = {**facts, "format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    if beside:
        facts["beside"] = [str(path) for path in beside]
    try:
        entry = _write(_artifacts(), key, data, facts)
    except OSError as error:
        _warn_once(str(cache_directory()), error.strerror or str(error))
    else:
        _published += 1
        if _published % _EVICT_EVERY == 1:
            evict()
        return entry
    try:
        return _write(_temporary(), key, data, facts)
    except OSError as error:
        raise ToolchainError(f"no build can be kept, not even for this process ({error}): free some space") from None


def _write(parent: Path, key: str, data: bytes, facts: dict[str, Any]) -> Entry:
    folder = parent / key
    fresh = parent / f"{_NEW}{uuid.uuid4().hex}"
    try:
        (fresh / _TRIED).mkdir(parents=True)
        _write_new(fresh / LIBRARY, data)
        for path in map(Path, facts.get("beside", ())):
            (fresh / path.name).symlink_to(path)
        _write_new(fresh / _FACTS, json.dumps(facts).encode())
        try:
            fresh.rename(folder)
        except OSError:
            # Another kernel was first. Its build is as good as ours, unless it is damaged.
            present = find(key)
            if present is not None and present.folder == folder:
                return present
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Entry(key, folder, facts)


def _write_new(path: Path, data: bytes) -> None:
    # Not synced to the disk: that takes longer than all the rest, and what a power cut has torn is found by its hash.
    with open(path, "xb") as file:
        file.write(data)


def _discard(folder: Path) -> None:
    # Renamed first, so that nobody reads an entry that is half gone.
    aside = folder.with_name(f"{_NEW}{uuid.uuid4().hex}")
    with suppress(OSError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def mark_tried(key: str, function: str) -> None:
    """Remember that the first call of a function of this build went well."""
    for folder in _candidates(key):
        with suppress(OSError):
            (folder / _TRIED / _file_name(function)).touch()
            return


def tried(key: str, function: str) -> bool:
    """Whether the first call of a function of this build went well, in this kernel or another."""
    return any((folder / _TRIED / _file_name(function)).exists() for folder in _candidates(key))


def _file_name(function: str) -> str:
    if function.isidentifier() and function.isascii() and len(function) <= _NAME_CHARACTERS_MAX:
        return function
    return "~" + hashlib.sha256(function.encode("utf-8", "surrogatepass")).hexdigest()


def used_bytes() -> int:
    """What the whole cache takes on disk: builds, and the compiler's own cache."""
    return _folder_bytes(cache_directory())


def clear() -> int:
    """Remove the whole cache; the bytes freed. What is loaded stays loaded, and is built again when next needed."""
    before = used_bytes()
    shutil.rmtree(cache_directory(), ignore_errors=True)
    return before - used_bytes()


def evict(bytes_max: int = limits.CACHE_BYTES_MAX) -> int:
    """Remove the builds that were not used for longest until the rest fits; the bytes freed.

    Builds used within the last hour stay: a kernel may be about to load them.
    """
    entries = []
    for folder in _listed(_artifacts()):
        with suppress(OSError):
            mark = folder / _FACTS if (folder / _FACTS).exists() else folder
            entries.append((mark.stat().st_mtime, _folder_bytes(folder), folder))
    total = sum(size for _, size, _ in entries)
    oldest_kept = time.time() - limits.CACHE_KEPT_SECONDS_MIN
    freed = 0
    for used, size, folder in sorted(entries, key=lambda item: item[0]):
        abandoned = folder.name.startswith(_NEW)
        if used >= oldest_kept or (total - freed <= bytes_max and not abandoned):
            continue
        _discard(folder)
        freed += size
    return freed


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - a walk of thousands of files
    return total


def _candidates(key: str) -> list[Path]:
    temporary = [_temporary() / key] if _temporary.cache_info().currsize else []
    return [_artifacts() / key, *temporary]


def _artifacts() -> Path:
    return cache_directory() / "artifacts"


def compiler_cache(compiler: str = "zig") -> Path:
    """Where a compiler keeps what it knows of its standard library; a temporary folder if it must."""
    folder = cache_directory() / compiler
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{_NEW}{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        _warn_once(str(cache_directory()), error.strerror or str(error))
        folder = _temporary() / compiler
        folder.mkdir(exist_ok=True)
    return folder


@lru_cache(maxsize=1)
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="project-o-"))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked child ends too, and the folder is not its own
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


@lru_cache(maxsize=16)
def _warn_once(folder: str, reason: str) -> None:
    warnings.warn(
        f"the cache at {folder} cannot be written ({reason}): builds are kept until this process ends. "
        "Free some space there, or set PROJECT_O_CACHE to another folder.",
        RuntimeWarning,
        stacklevel=4,
    )
