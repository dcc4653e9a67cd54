"""Keeping a store small: what is pinned, and letting go of large outputs over the quota."""

from __future__ import annotations

from ..errors import HistoryError
from .blobs import Blobs
from .contents import CELLS, decode
from .lane import parse_commit
from .largeoutputs import pointers
from .objects import ObjectStore, Tree
from .refs import LANES, TAGS, list_refs


def keep_within(store: str, quota_bytes: int) -> int:
    """Let go of large outputs until the rest is within the quota; the bytes freed. What is pinned stays."""
    blobs = Blobs(store)
    if blobs.size_bytes() <= quota_bytes:
        return 0
    return blobs.evict(quota_bytes, pinned(store))


def pinned(store: str) -> set[str]:
    """The large outputs of every state that has a name, and of the newest state of each lane."""
    objects = ObjectStore(store)
    found: set[str] = set()
    seen: set[str] = set()
    try:
        for tip in {*list_refs(store, TAGS).values(), *list_refs(store, LANES).values()}:
            try:
                kind, data = objects.read(tip)
                commit = data if kind == "commit" else objects.read_as(data[7:47].decode(), "commit")
                cells = Tree(objects, parse_commit(commit)["tree"]).child(CELLS)
            except (HistoryError, ValueError):
                continue  # what cannot be read shows nothing
            outputs = [blob for path, blob in cells.walk() if path.endswith(".out.json")] if cells else []
            fresh = [blob for blob in outputs if blob not in seen]
            seen.update(fresh)
            objects.fetch(fresh)
            for blob in fresh:
                found |= pointers(decode(objects.read_as(blob, "blob")))
    finally:
        objects.close()
    return found
