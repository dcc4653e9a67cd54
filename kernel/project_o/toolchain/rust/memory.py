"""What rustc remembers of a text of the user's own, for the locked builds of texts that were made from it.

That memory holds for one folder and one set of flags. A locked build works in a folder of its own, keeps nothing, and
would take two or three times as long as one that goes on from the last. So the user's own text is compiled once more,
with the user's rights, at the very path at which locked builds of that name work; each of those has a copy of what the
compiler remembered of it. Nothing of a proposed text is ever added.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ... import limits
from ...errors import ProjectOError
from ..compiler import Job, run
from .recipe import INCREMENTAL, RustRecipe

Write = Callable[[RustRecipe, Path], Job]
"""Put all that a build of this recipe needs into a folder; the job that is to be run there."""

_lock = threading.Lock()
_own: OrderedDict[tuple[str, str], RustRecipe] = OrderedDict()
_taken: set[str] = set()
_kept: OrderedDict[tuple[str, str], Path | None] = OrderedDict()
"""(place, key of the own text) -> what the compiler remembered of it there; None where that could not be had."""


def remember(wanted: RustRecipe) -> None:
    """This text is the user's own: proposed texts of its name may go on from it."""
    with _lock:
        _own[wanted.name, wanted.mode] = wanted
        _own.move_to_end((wanted.name, wanted.mode))
        while len(_own) > limits.RUST_MEMORIES_MAX:
            _own.popitem(last=False)


@contextmanager
def going_on(wanted: RustRecipe, write: Write) -> Iterator[tuple[str, dict[str, Path]]]:
    """(place, copies) for the job of a locked build: where it works, and the memory that it goes on from."""
    with _lock:
        own = _own.get((wanted.name, wanted.mode))
        place = next((name for name in _names(wanted) if name not in _taken), "") if own is not None else ""
        _taken.add(place)
    try:
        kept = _memory(own, place, write) if own is not None and place else None
        yield place, {INCREMENTAL: kept} if kept is not None else {}
    finally:
        with _lock:
            _taken.discard(place)


def _names(wanted: RustRecipe) -> list[str]:
    digest = hashlib.sha256(f"{wanted.name}\0{wanted.mode}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return [f"rust-{digest}-{k}" for k in range(limits.RUST_PLACES_MAX)]


def _memory(own: RustRecipe, place: str, write: Write) -> Path | None:
    from ...sandbox.build_memory import shared_folder

    shared = shared_folder()
    if not shared:
        return None
    found = place, own.key
    with _lock:
        known = found in _kept and (_kept[found] is None or _kept[found].is_dir())  # type: ignore[union-attr]
        if known:
            _kept.move_to_end(found)
            return _kept[found]
    made = _made(replace(own, locked=False), shared, place, write)
    with _lock:
        _kept[found] = made
        old = [_kept.popitem(last=False)[1] for _ in range(len(_kept) - limits.RUST_MEMORIES_MAX)]
    for folder in old:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    return made


def _made(own: RustRecipe, shared: str, place: str, write: Write) -> Path | None:
    """Compile the user's own text where the locked builds will work. None where that does not go well: they are slower
    then, and right all the same."""
    from ...sandbox.build_memory import WORK, at

    target = Path(shared) / f"memory-{place}-{own.key[:12]}"
    with suppress(OSError, ProjectOError), at(shared, place) as path:
        if path:
            folder = Path(path) / WORK
            folder.mkdir()
            run(write(own, folder))
            if not target.exists():
                (folder / INCREMENTAL).rename(target)
            return target
    return None


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _taken.clear()
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork)
