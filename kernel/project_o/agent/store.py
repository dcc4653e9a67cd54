"""Where turns and memories outlive the kernel: in the history store, beside the notebook's cells.

    agents/NAME/turn.json          the last turn; each turn is a state of its own, so all of them are in the history
    agents/NAME/feedback.jsonl     what was said about turns, one line each
    memories/NAME/memory.json      how vectors are made, what had to leave, which questions were taught
    memories/NAME/0.jsonl ... f    the blocks, one line each, by the first digit of their id

A turn is committed before its reply is returned, so a kernel that is killed loses at most the turn under way. Beside
the states a memory has a file that is searched (``beside.py`` of ``blocks``): what is remembered is there as soon as
``remember`` returns, kill or no kill. The lines of a state are what a restored state brings back, and what the file is
made from again where it is missing or damaged.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import AgentError, HistoryError, warn
from ..limits import SUMMARY_CHARACTERS_MAX
from ..lisp.specs import canonical
from ..values import plain
from .blocks.beside import Beside
from .blocks.block import Block, Forgotten, block_id
from .preferences import NOTE as PREFERENCES

if TYPE_CHECKING:
    from ..history import History
    from ..values import State, Turn
    from .memory import Memory

AGENTS = "agents/"
MEMORIES = "memories/"
FORMAT = 2
RESTORES_LOOKED_FOR = 50
"""Among so many states: a restore that is further back is long in the file."""
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
        self._beside = Beside(history)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept beyond this kernel."""
        return self._history is not None and self._history.enabled

    # ------------------------------------------------------------------ memories

    def load(self, memory: Memory) -> None:
        """Give a memory what an earlier kernel holds for it: its file, or where that is not there its newest state."""
        if self._history is None:
            return
        restored = self._restored()
        held = self._beside.open(memory, restored)
        if not held and self._read(memory):
            self._beside.keep(memory, restored)
        if held or len(memory):
            # The tree of this kernel's lane may not have them: what is staged next is all of it.
            self._mark(memory, set(_DIGITS))

    def restore(self, memory: Memory) -> None:
        """Give a memory what the newest state holds, whatever its file says: a state was brought back."""
        if not self._read(memory):
            memory.load(())
        self._beside.keep(memory, self._restored())
        self._mark(memory, set(_DIGITS))

    def forgot(self, memory: Memory) -> None:
        """A text was taken out of the history: out of the memory and its file too."""
        if self._history is not None:
            self._beside.clean(memory, self._history.clean_text, self._restored())
            self._mark(memory, set(_DIGITS))

    def _read(self, memory: Memory) -> bool:
        files = self._files(memory_folder(memory.name))
        if files:
            memory.load(*_read_memory(files))
            memory.store.note(PREFERENCES, _preferences(files))
        return bool(files)

    def _restored(self) -> str:
        """The id of the newest restore among the last states, "" where there is none."""
        if self._history is None or not self._history.enabled:
            return ""
        try:
            states = self._history.states(RESTORES_LOOKED_FOR)
        except HistoryError:
            return ""
        return next((state.id for state in states if state.kind == "restore"), "")

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
        self._beside.settle()

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
            self._beside.keep(memory)
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
        self._beside.settle()
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
    embedder = memory.embedder if len(memory) else None
    about = {
        "format": FORMAT,
        "name": memory.name,
        "capacity": memory.spec.capacity,
        "embedder": embedder.id if embedder else "",
        "dimension": embedder.dimension if embedder else 0,
        "taught": memory.store.taught(),
        PREFERENCES: memory.store.facts().get(PREFERENCES, "[]"),
        "forgotten": [plain(item) for item in memory.forgotten],
    }
    files: dict[str, str | None] = {f"{folder}memory.json": _dump(about, indent=1)}
    for digit in digits:
        lines = [_dump(plain(block)) for block in memory.store.blocks(digit, superseded=None)]
        files[f"{folder}{digit}.jsonl"] = "\n".join(lines) + "\n" if lines else None
    return files


def _read_memory(files: Mapping[str, str]) -> tuple[list[Block], list[Forgotten], list[tuple[str, str]]]:
    """What the files hold; a line that cannot be read is left out, and the rest is not lost with it.

    Raises AgentError where a newer version wrote them.
    """
    blocks: list[Block] = []
    forgotten: list[Forgotten] = []
    taught: list[tuple[str, str]] = []
    for path, text in files.items():
        if path.endswith("/memory.json"):
            try:
                about = json.loads(text)
                if about.get("format", 1) > FORMAT:
                    raise AgentError(
                        f"{path} of the history is of format {about['format']}, and this project-o knows up to "
                        f"{FORMAT}: nothing was changed; use the newer project-o"
                    )
                forgotten = [Forgotten(**item) for item in about["forgotten"]]
                taught = [(str(block), str(question)) for block, question in about.get("taught", ())]
            except (ValueError, KeyError, TypeError) as error:
                warn(f"{path} cannot be read ({error!r}): what had to leave is not known")
        else:
            blocks += [block for body in _lines(text) if (block := _block(body)) is not None]
    return blocks, forgotten, taught


def _preferences(files: Mapping[str, str]) -> str:
    """The thumbs that are kept beside a memory, as ``preferences`` wrote them; none where they cannot be read."""
    about = next((text for path, text in files.items() if path.endswith("/memory.json")), "{}")
    try:
        kept = json.loads(about).get(PREFERENCES, "[]")
        json.loads(kept)
    except (ValueError, TypeError, AttributeError):
        return "[]"
    return str(kept)


def _block(body: dict[str, Any]) -> Block | None:
    try:
        block = Block(**body)
        # A text that was taken out of the history is another text now; a piece of one is known by its place.
        return block if block.document else replace(block, id=block_id(block.text))
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
