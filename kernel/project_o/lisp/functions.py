"""A function as a tool: its parameters, types and documentation, read the same way from Lisp and from Python."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import UsageError, warn
from .specs import ToolParameter, ToolSpec, Written, canonical

_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    set: "array",
    dict: "object",
}
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def tool_of(
    function: Callable[..., Any],
    *,
    name: str = "",
    doc: str = "",
    source: str = "",
    language: Written = "python",
    line: int = 0,
    normal: str = "",
    options: Mapping[str, Any] | None = None,
) -> ToolSpec:
    """The tool that calls ``function``. Its annotations give the types; ``Annotated[int, "..."]`` documents one.

    ``options`` are those of ``tool_options``.
    Raises UsageError for parameters that cannot be given by name, and a name that no model would take.
    """
    parameters = parameters_of(function, name or function.__name__)
    if not canonical(name or function.__name__).isidentifier():
        raise UsageError(
            f"{name or function.__name__!r} cannot be the name of a tool, since models take none such: use letters, "
            "digits and '-', as in my-tool"
        )
    return ToolSpec(
        name=name or function.__name__,
        doc=doc or inspect.getdoc(function) or "",
        parameters=parameters,
        run=function,
        source=source,
        language=language,
        line=line,
        normal=normal,
        **(options or {}),
    )


def tool_options(
    name: str,
    unsafe: bool = False,  # noqa: FBT001, FBT002 - by its name, as both languages write it
    timeout: float = 0.0,
    effects: Sequence[str] = (),
) -> dict[str, Any]:
    """``unsafe``, ``timeout`` in seconds and ``effects`` as both languages write them, as a ToolSpec has them."""
    if isinstance(effects, str):
        raise UsageError(f"tool {name}: its effects are a list, as in [network files], not {effects!r}")
    return {"unsafe": unsafe, "timeout_seconds": timeout, "effects": tuple(sorted(set(map(str, effects))))}


def parameters_of(function: Callable[..., Any], name: str) -> tuple[ToolParameter, ...]:
    """The parameters of the tool ``name``. Raises UsageError for those that cannot be given by name."""
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # noqa: BLE001 - annotations are expressions of the user's own
        warn(f"tool {name}: what its annotations mean is not known here, and its parameters are of any type: {error!r}")
        hints = {}
    found = []
    for item in inspect.signature(function).parameters.values():
        if item.kind in _VARIADIC or item.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise UsageError(
                f"tool {name}: {item.name} cannot be given by name, and a model names every argument: "
                "use plain parameters"
            )
        required = item.default is inspect.Parameter.empty
        annotation, text = _noted(hints.get(item.name, item.annotation))
        choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
        if not required:
            annotation, choices = _without_none(annotation, choices)
        kind = _type(annotation) if not choices else _kind_of_all(choices)
        default = None if required else item.default
        allowed = choices if kind != "any" else ()
        found.append(ToolParameter(item.name, kind, required, default, text, allowed, _items(annotation, kind)))
    return tuple(found)


def _noted(annotation: Any) -> tuple[Any, str]:
    """An annotation without ``Annotated``, and what that says about it."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return annotation, ""
    annotation, *notes = typing.get_args(annotation)
    return annotation, next((note for note in notes if isinstance(note, str)), "")


def _without_none(annotation: Any, choices: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """``int | None`` as ``int``, ``Literal["a"] | None`` with its choices: what has a default may be None anyway."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, tuple(choice for choice in choices if choice is not None)
    left = [part for part in typing.get_args(annotation) if part is not type(None)]
    if len(left) != 1:
        return annotation, ()
    return left[0], typing.get_args(left[0]) if typing.get_origin(left[0]) is typing.Literal else ()


def _kind_of_all(choices: tuple[Any, ...]) -> str:
    """The JSON type that all choices have; "any" for a mixture."""
    kinds = {_TYPES.get(type(choice), "any") for choice in choices}
    return kinds.pop() if len(kinds) == 1 else "any"


def _items(annotation: Any, kind: str) -> str:
    """The JSON type of an array's parts: integer for ``list[int]``; "any" where it is not said."""
    said = typing.get_args(annotation)
    alike = len(said) == 1 or (len(said) == 2 and said[1] is ...)
    return _type(said[0]) if kind == "array" and alike else "any"


def _type(annotation: Any) -> str:
    """The JSON type of an annotation."""
    plain = typing.get_origin(annotation) or annotation
    if plain in (Sequence, Mapping):
        return "array" if plain is Sequence else "object"
    return _TYPES.get(plain, "any") if isinstance(plain, type) else "any"
