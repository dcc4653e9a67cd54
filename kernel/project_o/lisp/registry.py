"""What is defined: tools, memories, agents, workflows and parameters, by kind and name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from ..errors import AgentError
from .specs import AgentSpec, Kind, MemorySpec, ParamSpec, Spec, ToolSpec, WorkflowSpec, canonical, kind_of

KINDS: tuple[Kind, ...] = get_args(Kind)
_MISSING_SHOWN_MAX = 8


class Specs:
    """What is defined, by kind and name; a new definition replaces the old one. ``-`` and ``_`` in names are equal.

    ``bound`` says what the name of a definition is bound to in the cell's namespace: the spec itself, or the live
    object that whoever owns this registry makes of it.
    """

    def __init__(self, bound: Callable[[Spec], Any] = lambda spec: spec) -> None:
        self.bound = bound
        self._found: dict[Kind, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.helpers: dict[str, str] = {}
        """What else Lisp cells defined at their top level (functions, macros, values, imports): name to source."""

    def define(self, spec: Spec) -> Spec:
        """Add or replace; returns ``spec``."""
        self._found[kind_of(spec)][canonical(spec.name)] = spec
        return spec

    def tool(self, name: str) -> ToolSpec:
        """Raises AgentError, naming the tools that there are."""
        return self._get("tool", name)  # type: ignore[no-any-return]

    def memory(self, name: str) -> MemorySpec:
        """Raises AgentError, naming the memories that there are."""
        return self._get("memory", name)  # type: ignore[no-any-return]

    def agent(self, name: str) -> AgentSpec:
        """Raises AgentError, naming the agents that there are."""
        return self._get("agent", name)  # type: ignore[no-any-return]

    def workflow(self, name: str) -> WorkflowSpec:
        """Raises AgentError, naming the workflows that there are."""
        return self._get("workflow", name)  # type: ignore[no-any-return]

    def param(self, name: str) -> ParamSpec:
        """Raises AgentError, naming the parameters that there are."""
        return self._get("param", name)  # type: ignore[no-any-return]

    def items(self) -> Iterator[tuple[Kind, Spec]]:
        """Every definition with its kind."""
        return iter([(kind, spec) for kind, found in self._found.items() for spec in found.values()])

    def has(self, kind: Kind, name: str) -> bool:
        """Whether something of this kind has that name."""
        return canonical(name) in self._found[kind]

    def names(self, kind: Kind | None = None) -> tuple[str, ...]:
        """The names as they were written, of one kind or of all, in order of definition."""
        kinds: Sequence[Kind] = (kind,) if kind else KINDS
        return tuple(spec.name for one in kinds for spec in self._found[one].values())

    def __iter__(self) -> Iterator[Spec]:
        return iter([spec for found in self._found.values() for spec in found.values()])

    def __len__(self) -> int:
        return sum(len(found) for found in self._found.values())

    def _get(self, kind: Kind, name: str) -> Any:
        try:
            return self._found[kind][canonical(name)]
        except KeyError:
            shown = self.names(kind)[:_MISSING_SHOWN_MAX]
            known = f"there is {', '.join(shown)}" if shown else f"no {kind} is defined yet"
            raise AgentError(f"no {kind} is called {name}: {known}; define it with (def{kind} {name} ...)") from None
