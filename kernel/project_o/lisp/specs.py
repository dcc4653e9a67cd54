"""What tools, memories and agents are: plain frozen values, built by Lisp forms and by Python decorators alike."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import AgentError, UsageError
from ..limits import MEMORY_BLOCK_CHARACTERS_MAX, MEMORY_BLOCK_CHARACTERS_MIN

Written = Literal["lisp", "python"]
Kind = Literal["tool", "memory", "agent"]

JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "any")
EMBEDDINGS = ("auto", "hash", "words")
RANKINGS = ("sum", "fused")
_MISSING_SHOWN_MAX = 8
_PLACE = re.compile(r" at 0x[0-9a-f]+")
"""Where in memory an object is, which says nothing about what it is."""


@dataclass(frozen=True, slots=True)
class ToolParameter:
    """One argument of a tool. ``type`` is a JSON type, or "any". ``default`` counts where ``required`` is False."""

    name: str
    type: str = "any"
    required: bool = True
    default: Any = None
    doc: str = ""

    def __post_init__(self) -> None:
        _check_name("parameter", self.name)
        if self.type not in JSON_TYPES:
            raise UsageError(f"parameter {self.name} cannot have the type {self.type!r}: use {', '.join(JSON_TYPES)}")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that an agent may call. ``line`` is its cell's own, 1-based; 0 where unknown.

    ``normal`` is the Lisp form without comments and layout, "" for a Python tool: then ``source`` counts.
    Calling the spec calls the function. Raises UsageError for a name that cannot be called, or a repeated parameter.
    """

    name: str
    doc: str
    parameters: tuple[ToolParameter, ...]
    run: Callable[..., Any] = field(compare=False)
    source: str = ""
    language: Written = "python"
    line: int = 0
    normal: str = ""

    def __post_init__(self) -> None:
        _check_name("tool", self.name)
        names = [canonical(item.name) for item in self.parameters]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"tool {self.name} has the parameter {repeated[0]} twice: give each its own name")

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What ``run`` returns for these."""
        return self.run(*args, **named)

    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON schema of type object, as models are given it."""
        properties: dict[str, Any] = {}
        for item in self.parameters:
            entry: dict[str, Any] = {} if item.type == "any" else {"type": item.type}
            if item.doc:
                entry["description"] = item.doc
            if not item.required and _is_json(item.default):
                entry["default"] = item.default
            properties[canonical(item.name)] = entry
        return {
            "type": "object",
            "properties": properties,
            "required": [canonical(item.name) for item in self.parameters if item.required],
            "additionalProperties": False,
        }

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over what the tool is and does; ``-`` and ``_`` in names are equal."""
        parameters = [
            [canonical(item.name), item.type, item.required, _PLACE.sub("", repr(item.default)), item.doc]
            for item in self.parameters
        ]
        return _digest("tool", canonical(self.name), self.doc, parameters, self.normal or self.source)


@dataclass(frozen=True, slots=True)
class MemorySpec:
    """What an agent remembers, and how it recalls it.

    ``capacity`` counts blocks; ``embedding`` is auto, hash, words, or a model that embeds as ``provider:name``;
    ``weight`` is the share of the vectors by meaning in the ranking, 0 to 1 (the rest is the hashed one); ``top`` is
    how many blocks a recall returns. A text longer than ``block`` characters becomes blocks that share ``overlap``.
    ``ranking`` is sum, of both scores, or fused, which adds the ranks by words that are shared (BM25).
    Raises UsageError for values out of these ranges.
    """

    name: str
    capacity: int = 10_000
    embedding: str = "auto"
    weight: float = 0.7
    top: int = 5
    block: int = 512
    overlap: int = 50
    ranking: str = "sum"
    doc: str = ""
    source: str = ""
    language: Written = "python"
    line: int = 0

    def __post_init__(self) -> None:
        _check_name("memory", self.name)
        for name in ("capacity", "top"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UsageError(f"memory {self.name}: {name} must be a whole number from 1, not {value!r}")
        if self.embedding not in EMBEDDINGS and not re.fullmatch(r"[a-z_.-]+:\S+", str(self.embedding)):
            raise UsageError(
                f"memory {self.name}: embedding must be {', '.join(EMBEDDINGS)} or provider:name, "
                f"not {self.embedding!r}"
            )
        if type(self.weight) not in (int, float) or not 0 <= self.weight <= 1:
            raise UsageError(f"memory {self.name}: weight must be from 0 to 1, not {self.weight!r}")
        low, high = MEMORY_BLOCK_CHARACTERS_MIN, MEMORY_BLOCK_CHARACTERS_MAX
        if type(self.block) is not int or not low <= self.block <= high:
            raise UsageError(f"memory {self.name}: block must be from {low} to {high:,} characters, not {self.block!r}")
        if type(self.overlap) is not int or not 0 <= self.overlap <= self.block // 2:
            raise UsageError(
                f"memory {self.name}: overlap must be from 0 to half a block ({self.block // 2}), not {self.overlap!r}"
            )
        if self.ranking not in RANKINGS:
            raise UsageError(f"memory {self.name}: ranking must be {' or '.join(RANKINGS)}, not {self.ranking!r}")

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over the values and not over how they were written."""
        values = [self.capacity, self.embedding, float(self.weight), self.top, self.block, self.overlap, self.ranking]
        return _digest("memory", canonical(self.name), self.doc, values)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent: ``doc`` is its system prompt, ``tools`` and ``memory`` are names, ``model`` "" the configured one.

    ``body`` is called without arguments inside a turn (see ``context``); its value is the reply. None: the model
    answers. ``source`` is the form's own text, with the comment behind its last line; ``line`` its first line in
    the cell. ``normal`` is the Lisp form without comments and layout, "" for a Python agent.
    """

    name: str
    doc: str = ""
    tools: tuple[str, ...] = ()
    memory: str = ""
    model: str = ""
    body: Callable[[], Any] | None = field(default=None, compare=False)
    source: str = ""
    language: Written = "python"
    line: int = 0
    normal: str = ""

    def __post_init__(self) -> None:
        _check_name("agent", self.name)
        names = [canonical(tool) for tool in self.tools]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"agent {self.name} has the tool {repeated[0]} twice: name it once")

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over what the agent is; comments and layout of its Lisp do not count."""
        tools = [canonical(tool) for tool in self.tools]
        where = [canonical(self.memory), self.model]
        return _digest("agent", canonical(self.name), self.doc, tools, where, self.normal or self.source)


Spec = ToolSpec | MemorySpec | AgentSpec


class Specs:
    """What is defined, by kind and name; a new definition replaces the old one. ``-`` and ``_`` in names are equal.

    ``bound`` says what the name of a definition is bound to in the cell's namespace: the spec itself, or the live
    object that whoever owns this registry makes of it.
    """

    def __init__(self, bound: Callable[[Spec], Any] = lambda spec: spec) -> None:
        self.bound = bound
        self._found: dict[Kind, dict[str, Any]] = {"tool": {}, "memory": {}, "agent": {}}
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

    def has(self, kind: Kind, name: str) -> bool:
        """Whether something of this kind has that name."""
        return canonical(name) in self._found[kind]

    def names(self, kind: Kind | None = None) -> tuple[str, ...]:
        """The names as they were written, of one kind or of all, in order of definition."""
        kinds: Sequence[Kind] = (kind,) if kind else ("tool", "memory", "agent")
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


def kind_of(spec: Spec) -> Kind:
    """Which kind of definition this is."""
    return "tool" if isinstance(spec, ToolSpec) else "memory" if isinstance(spec, MemorySpec) else "agent"


def canonical(name: str) -> str:
    """A name as it is compared: ``-`` and ``_`` are equal."""
    return name.replace("-", "_")


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not canonical(name).rstrip("?!*").isidentifier():
        raise UsageError(f"{name!r} cannot be the name of a {what}: use letters, digits and '-', as in my-{what}")


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _digest(*parts: Any) -> str:
    body = json.dumps(parts, ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
