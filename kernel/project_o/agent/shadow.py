"""A turn of a new version in the shadow of the one that answers: nothing that happens only once happens twice.

The answering turn is taped. The shadow's tools give what the tape has for the same arguments; its memory is as it was
before the turn, and keeps nothing. A call that the tape does not have ends the shadow's turn: nothing is compared then.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ..lisp.specs import ToolSpec
from ..models import Model

if TYPE_CHECKING:
    from .memory import Memory, Recalled

ModelOf = Callable[[], Model]
Body = Callable[[], Any] | None


class Remembers(Protocol):
    """What a turn asks of a memory."""

    def remember(self, text: str, source: str = "") -> Any:
        """Keep a text."""

    def correct(self, old: str, new: str, source: str = "") -> Any:
        """Keep one text in place of another."""

    def recall(self, query: str, top: int | None = None) -> list[Recalled]:
        """The texts that fit best."""


class OnlyOnce(BaseException):
    """The shadow asked for what may happen only once. No body and no tool can catch it by accident."""


class Around:
    """What stands between a turn and its body, tools, memory and model: nothing, for an ordinary one."""

    def body(self, body: Body) -> Body:
        """What answers; None where that is the model."""
        return body

    def tools(self, tools: Mapping[str, ToolSpec]) -> Mapping[str, ToolSpec]:
        """The tools that the turn is given."""
        return tools

    def memory(self, memory: Memory | None) -> Remembers | None:
        """The memory that the turn is given."""
        return memory

    def model(self, model: ModelOf) -> ModelOf:
        """The model that the turn is given."""
        return model


@dataclass
class Watched(Around):
    """How long the body of a turn took, in seconds, and whether it asked a model, a tool or its memory."""

    seconds: float = 0.0
    asked_model: bool = False
    asked_others: bool = False

    def body(self, body: Body) -> Body:
        """The same body, and its time is taken: of the body alone, so that both versions are timed alike."""
        if body is None:
            return None

        def timed() -> Any:
            began = time.perf_counter()
            try:
                return body()
            finally:
                self.seconds = time.perf_counter() - began

        timed.__wrapped__ = getattr(body, "__wrapped__", body)  # type: ignore[attr-defined]  # for the line of an error
        return timed


@dataclass
class Tape(Watched):
    """What a turn asked for, and what it was given."""

    calls: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)
    recalls: dict[tuple[str, int | None], list[Recalled]] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)

    def tools(self, tools: Mapping[str, ToolSpec]) -> Mapping[str, ToolSpec]:
        """The same tools, and what they return is written down."""
        return {name: replace(tool, run=self._taped(name, tool)) for name, tool in tools.items()}

    def _taped(self, name: str, tool: ToolSpec) -> Callable[..., Any]:
        def run(**arguments: Any) -> Any:
            self.asked_others = True
            given = _copied(arguments)
            result = tool.run(**arguments)
            kept = _copied(result)
            if given is not None and (kept is not None or result is None):
                self.calls.append((name, given, kept))
            return result

        return run

    def memory(self, memory: Memory | None) -> Remembers | None:
        """The same memory, and what comes into it or is found in it is written down."""
        return None if memory is None else _TapedMemory(self, memory)

    def model(self, model: ModelOf) -> ModelOf:
        """The same model, and that it was asked is written down."""

        def asked() -> Model:
            self.asked_model = True
            return model()

        return asked


class _TapedMemory:
    def __init__(self, tape: Tape, memory: Memory) -> None:
        self._tape, self._memory = tape, memory

    def remember(self, text: str, source: str = "") -> Any:
        """Kept as ever; a text that was not there before is not for the shadow to find."""
        self._tape.asked_others = True
        is_known = isinstance(text, str) and text in self._memory
        block = self._memory.remember(text, source=source)
        if not is_known:
            self._tape.remembered.add(block.id)
        return block

    def correct(self, old: str, new: str, source: str = "") -> Any:
        """Corrected as ever; the new text is not for the shadow to find."""
        self._tape.asked_others = True
        block = self._memory.correct(old, new, source=source)
        self._tape.remembered.add(block.id)
        return block

    def recall(self, query: str, top: int | None = None) -> list[Recalled]:
        """Found as ever."""
        self._tape.asked_others = True
        found = self._memory.recall(query, top)
        self._tape.recalls.setdefault((query, top), found)
        return found


@dataclass
class Shadow(Watched):
    """A turn that changes nothing. ``tape`` is that of the answering turn; None where that has not come yet."""

    tape: Tape | None = None

    def tools(self, tools: Mapping[str, ToolSpec]) -> Mapping[str, ToolSpec]:
        """Tools that give what the answering turn was given for the same arguments."""
        left = list(self.tape.calls) if self.tape else []
        return {name: replace(tool, run=self._replayed(name, tool.name, left)) for name, tool in tools.items()}

    def _replayed(self, name: str, shown: str, left: list[tuple[str, dict[str, Any], Any]]) -> Callable[..., Any]:
        def run(**arguments: Any) -> Any:
            self.asked_others = True
            for place, (called, given, result) in enumerate(left):
                if called == name and _equal(given, arguments):
                    del left[place]
                    return result
            raise OnlyOnce(f"it called {shown} with other arguments, and no tool is called twice")

        return run

    def memory(self, memory: Memory | None) -> Remembers | None:
        """The memory as it was before the turn; what it is to keep is let go."""
        return None if memory is None else _MemoryBefore(self, memory)

    def model(self, model: ModelOf) -> ModelOf:
        """The model itself: it is asked once more. Before the answering turn it is not."""

        def asked() -> Model:
            self.asked_model = True
            if self.tape is None:
                raise OnlyOnce("it asks its model")
            return model()

        return asked


class _MemoryBefore:
    def __init__(self, shadow: Shadow, memory: Memory) -> None:
        self._shadow, self._memory = shadow, memory

    def remember(self, text: str, source: str = "") -> None:
        """Nothing: what a shadow learns is not kept."""
        self._shadow.asked_others = True

    def correct(self, old: str, new: str, source: str = "") -> None:
        """Nothing, as with ``remember``."""
        self._shadow.asked_others = True

    def recall(self, query: str, top: int | None = None) -> list[Recalled]:
        """What was found before the answering turn changed anything."""
        self._shadow.asked_others = True
        tape = self._shadow.tape or Tape()
        known = tape.recalls.get((query, top))
        return known if known is not None else self._memory.peek(query, top, without=tape.remembered)


def _copied(value: Any) -> Any:
    """A copy that later changes of the original do not reach; None where there can be none."""
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - copying runs code of the value's own class; such a call is not taped
        return None


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # noqa: BLE001 - comparing runs code of the values' own classes; arrays say neither yes nor no
        return False
