"""Where turns and memories outlive the kernel: in the history store, beside the notebook's cells.

    agents/NAME/turn.json          the last turn; each turn is a state of its own, so all of them are in the history
    agents/NAME/feedback.jsonl     what was said about turns, one line each
    memories/NAME/memory.json      how vectors are made, and what had to leave
    memories/NAME/0.jsonl ... f    the blocks, one line each, by the first digit of their id

A turn is committed before its reply is returned, so a kernel that is killed loses at most the turn under way. Vectors
are not kept: the embedder's id and dimension are, and vectors are made anew, by whichever embedder is there.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import HistoryError, warn
from ..limits import SUMMARY_CHARACTERS_MAX
from ..lisp.specs import canonical
from ..values import plain
from .memory import Block, Forgotten, Memory, block_id

if TYPE_CHECKING:
    from ..history import History
    from ..values import State, Turn

AGENTS = "agents/"
MEMORIES = "memories/"
FORMAT = 1
STAGING_SHARE = 20.0
"""Between two stagings passes so many times as long as the last one took."""
_DIGITS = "0123456789abcdef"


class Store:
    """Commits turns and memories to a history; without one it keeps nothing. Safe to use from any thread."""

    def __init__(self, history: History | None = None) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._together = 0
        self._next = 0.0
        self._staged: set[str] = set()
        self._changed: dict[str, tuple[Memory, set[str]]] = {}

    @property
    def keeps(self) -> bool:
        """Whether anything is kept beyond this kernel."""
        return self._history is not None and self._history.enabled

    # ------------------------------------------------------------------ memories

    def load(self, memory: Memory) -> None:
        """Give a memory what an earlier kernel, or a restored state, holds for it."""
        files = self._files(memory_folder(memory.name))
        if not files:
            return
        blocks, forgotten = _read_memory(files)
        memory.load(blocks, forgotten)
        # The tree of this kernel's lane may not have them: what is staged next is all of it.
        self._mark(memory, set(_DIGITS))

    def changed(self, memory: Memory, names: frozenset[str]) -> None:
        """Blocks came, left or were used: staged with the next cell, or committed with the turn under way.

        A loop that remembers thousands of texts pays for a fraction of the writing; ``flush`` does the rest.
        """
        self._mark(memory, {name[0] for name in names})
        with self._lock:
            wait = self._together > 0 or time.monotonic() < self._next
        if not wait:
            self.flush()

    def cell_ended(self) -> None:
        """What was staged is in the history, or goes there now; what is left is staged for the next cell."""
        self._staged.clear()
        self.flush()

    def flush(self) -> None:
        """Stage what has changed outside turns: the history keeps it with the next cell."""
        if not self._changed or not self.keeps or self._history is None:
            return
        started = time.monotonic()
        files = self._take()
        self._history.stage(files)
        self._staged.update(files)
        now = time.monotonic()
        self._next = now + STAGING_SHARE * (now - started)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What changes in here is left for the commit that follows."""
        with self._lock:
            self._together += 1
        try:
            yield
        finally:
            with self._lock:
                self._together -= 1

    def _mark(self, memory: Memory, digits: set[str]) -> None:
        with self._lock:
            known = self._changed.get(canonical(memory.name))
            if known is not None and known[0] is memory:
                known[1].update(digits)
            else:
                self._changed[canonical(memory.name)] = (memory, digits)

    def _take(self) -> dict[str, str | None]:
        with self._lock:
            taken, self._changed = self._changed, {}
        files: dict[str, str | None] = {}
        for memory, digits in taken.values():
            files.update(_write_memory(memory, digits))
        return files

    # ------------------------------------------------------------------ turns and feedback

    def turn(self, turn: Turn, facts: Mapping[str, str], sources: Mapping[str, str]) -> State | None:
        """Commit a turn with whatever its memories learned; None where nothing is kept."""
        if not self.keeps or self._history is None:
            return None
        folder = AGENTS + slug(turn.agent)
        files: dict[str, str | None] = {f"{folder}/turn.json": _dump(plain(turn), indent=1)}
        files |= {f"{folder}/{name}": text for name, text in sources.items()}
        learned = self._take()
        # What was staged before in this cell lands after this turn's commit: it must not be older than that.
        self._history.stage({path: text for path, text in learned.items() if path in self._staged})
        return self._note("agent", turn.agent, _summary(turn), facts, files | learned)

    def feedback(self, agent: str, entry: Mapping[str, Any]) -> State | None:
        """Commit what was said about a turn; None where nothing is kept."""
        if not self.keeps or self._history is None:
            return None
        path = f"{AGENTS}{slug(agent)}/feedback.jsonl"
        before = self._files(path).get(path, "")
        facts = {name: str(entry[name]) for name in ("value", "why", "turn") if entry.get(name)}
        why = f": {entry['why']}" if entry.get("why") else ""
        return self._note(
            "feedback", agent, f"{agent} {entry['value']}{why}", facts, {path: before + _dump(entry) + "\n"}
        )

    def told(self, agent: str) -> list[dict[str, Any]]:
        """All feedback that is kept for an agent, oldest first."""
        path = f"{AGENTS}{slug(agent)}/feedback.jsonl"
        return _lines(self._files(path).get(path, ""))

    def _note(
        self, kind: str, scope: str, summary: str, facts: Mapping[str, str], files: Mapping[str, str | None]
    ) -> State | None:
        assert self._history is not None
        state = self._history.note(kind, scope, summary, facts, files)
        return state if state.id else None

    def _files(self, prefix: str) -> dict[str, str]:
        if self._history is None or not self._history.enabled:
            return {}
        try:
            for state in self._history.states(1):
                return self._history.files(state, prefix)
        except HistoryError as error:
            warn(f"what agents remembered in the last kernel is not known: {error}")
        return {}


def slug(name: str) -> str:
    """A name as a folder: what a path may not hold is spelled by its code."""
    return re.sub(r"[^A-Za-z0-9_]", lambda match: f"%{ord(match[0]):x}", canonical(name))


def memory_folder(name: str) -> str:
    """Where the files of a memory are."""
    return f"{MEMORIES}{slug(name)}/"


def _summary(turn: Turn) -> str:
    text = " ".join(f"{turn.agent}: {turn.message}".split())
    return text if len(text) <= SUMMARY_CHARACTERS_MAX else text[: SUMMARY_CHARACTERS_MAX - 1] + "…"


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _write_memory(memory: Memory, digits: set[str]) -> dict[str, str | None]:
    folder = memory_folder(memory.name)
    embedder = memory.embedder_or_none
    about = {
        "format": FORMAT,
        "name": memory.name,
        "capacity": memory.spec.capacity,
        "embedder": embedder.id if embedder else "",
        "dimension": embedder.dimension if embedder else 0,
        "forgotten": [plain(item) for item in memory.forgotten],
    }
    files: dict[str, str | None] = {f"{folder}memory.json": _dump(about, indent=1)}
    shards: dict[str, list[str]] = {digit: [] for digit in digits}
    for block in memory.blocks:
        if block.id[0] in shards:
            shards[block.id[0]].append(_dump(plain(block)))
    for digit, lines in shards.items():
        files[f"{folder}{digit}.jsonl"] = "\n".join(lines) + "\n" if lines else None
    return files


def _read_memory(files: Mapping[str, str]) -> tuple[list[Block], list[Forgotten]]:
    """What the files hold; a line that cannot be read is left out, and the rest is not lost with it."""
    blocks: list[Block] = []
    forgotten: list[Forgotten] = []
    for path, text in files.items():
        if path.endswith("/memory.json"):
            try:
                forgotten = [Forgotten(**item) for item in json.loads(text)["forgotten"]]
            except (ValueError, KeyError, TypeError) as error:
                warn(f"{path} cannot be read ({error!r}): what had to leave is not known")
        else:
            blocks += [block for body in _lines(text) if (block := _block(body)) is not None]
    return blocks, forgotten


def _block(body: dict[str, Any]) -> Block | None:
    try:
        block = Block(**body)
        return Block(block_id(block.text), block.text, block.source, block.when, block.last_used, block.uses)
    except (TypeError, AttributeError) as error:
        warn(f"a remembered text cannot be read ({error}) and is left out")
        return None


def _lines(text: str) -> list[dict[str, Any]]:
    found = []
    for line in filter(None, text.split("\n")):
        try:
            body = json.loads(line)
        except ValueError as error:
            warn(f"a line of the store cannot be read ({error}) and is left out")
            continue
        if isinstance(body, dict):
            found.append(body)
    return found
