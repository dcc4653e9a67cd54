"""A memory that follows a strategy: a function of the notebook that may be evolved, given a canary, and taken back.

The function returns settings (``block``, ``overlap``, ``weight``, ``ranking``, and ``schema``, the version of what the
memory is kept in) and is asked at each recall, by its name
where it was defined: so whatever serves that name now decides, an evolved version, a canary that answers a tenth of
the calls, or the old one after a rollback. What a canary chooses is tried beside the memory and changes nothing in it;
settings that were chosen without a break become the memory's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..limits import MEMORY_STRATEGY_SETTLED_RECALLS, MEMORY_VIEWS_MAX
from ..lisp.specs import MemorySpec

if TYPE_CHECKING:
    from .memory import Memory

SETTINGS = ("block", "overlap", "weight", "ranking")
"""What a strategy may choose; the rest of a memory's definition is the user's."""
SCHEMA = "schema"

Strategy = Callable[[], Mapping[str, Any]]


def with_settings(spec: MemorySpec, settings: Mapping[str, Any]) -> MemorySpec:
    """A definition with what a strategy chose. Raises UsageError for what it may not choose, or cannot."""
    if not isinstance(settings, Mapping) or (unknown := sorted(set(settings) - {*SETTINGS, SCHEMA})):
        what = ", ".join(map(str, unknown)) if isinstance(settings, Mapping) else type(settings).__name__
        raise UsageError(f"the strategy of memory {spec.name} chooses {', '.join(SETTINGS)}, and not {what}")
    return replace(spec, **{name: value for name, value in settings.items() if name != SCHEMA})


class Following:
    """Which memory answers the next question: the one itself, or what the strategy chooses, beside it."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._space: Mapping[str, Any] = getattr(strategy, "__globals__", {})
        self._last: tuple[MemorySpec, int] | None = None
        self._times = 0
        self._views: dict[tuple[MemorySpec, int], Memory] = {}

    def answering(self, memory: Memory, changes: int) -> Memory:
        """The memory to ask. ``changes`` counts what came and left. Raises UsageError for settings that cannot be."""
        name = getattr(self._strategy, "__name__", "")
        settings = self._space.get(name, self._strategy)()
        spec = with_settings(memory.spec, settings)
        schema = int(settings.get(SCHEMA, memory.store.version()))
        self._times = self._times + 1 if (spec, schema) == self._last else 1
        self._last = spec, schema
        if (spec, schema) == (memory.spec, memory.store.version()):
            return memory
        if self._times >= MEMORY_STRATEGY_SETTLED_RECALLS:
            self._views.clear()
            memory.store.migrate(schema)
            memory.define(spec, written=memory.written)
            return memory
        if spec == memory.spec:
            return memory  # another schema holds the same: there is nothing to try beside it
        cut = (spec.block, spec.overlap) == (memory.spec.block, memory.spec.overlap)
        key = (spec, 0 if cut else changes)
        if key not in self._views:
            while len(self._views) >= MEMORY_VIEWS_MAX:
                self._views.pop(next(iter(self._views)))
            self._views[key] = memory.beside(spec, same_blocks=cut)
        return self._views[key]
