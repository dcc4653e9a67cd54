"""A Python program as it serves in this process: the user's own function, or another text in that one's globals."""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Sequence
from typing import Any

from ..errors import DeployError, a_kind
from ..sandbox.construct import by_place, compiled, construct
from ..values import Artifact
from .python_source import Text


class PythonVersion:
    """One text of a function. ``function`` is what a call runs.

    Where the text is the user's own it is the user's function itself. Another text is made into a function of the
    same globals, so that it sees every later change of them, with the default values of the user's function where
    the text did not change them; its declared constants are its own.
    """

    def __init__(self, artifact: Artifact, text: Text, original: types.FunctionType | None, own: bool) -> None:  # noqa: FBT001 - said by its caller
        self.artifact = artifact
        self.text = text
        self._function = None if original is None else original if own else _version(artifact, text, original)

    @property
    def function(self) -> Any:
        """The function. Raises DeployError in a kernel in which the user's own has not been defined yet."""
        if self._function is None:
            raise DeployError(f"{self.text.name} is not defined here yet: run its cell, then %evolve {self.text.name}")
        return self._function

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call it; it has one function only."""
        return by_place(self.function)(*args)


def _version(artifact: Artifact, text: Text, original: types.FunctionType) -> types.FunctionType:
    file = f"<{text.name}, version {artifact.program.digest[:10]}>"
    return made(text, original, original.__globals__, file)


def made(text: Text, original: types.FunctionType, namespace: dict[str, Any], file: str) -> types.FunctionType:
    """Another text of ``original`` as a function of ``namespace``; ``file`` is its name in tracebacks.

    Raises DeployError for a text that fails while it is defined.
    """
    shown = "\n" * (text.first_line - 1) + text.text
    linecache.cache[file] = (len(shown), None, shown.splitlines(keepends=True), file)
    try:
        found = construct(compiled(text.text, text.name, text.first_line, file), text.name, namespace)
    except Exception as error:
        raise DeployError(f"{text.name} cannot be defined here: {type(error).__name__}: {error}") from error
    if not isinstance(found, types.FunctionType):
        raise DeployError(f"the text of {text.name} makes {a_kind(found)}, not a function: it cannot serve")
    found.__module__, found.__qualname__, found.__doc__ = original.__module__, original.__qualname__, original.__doc__
    found.__annotations__ = original.__annotations__
    _keep_defaults(found, text.text, original)
    return found


def _keep_defaults(made: types.FunctionType, text: str, original: types.FunctionType) -> None:
    """Default values are those of the user's own definition, unless the text gives other plain ones."""
    node = next((item for item in ast.parse(text).body if getattr(item, "name", "") == made.__name__), None)
    if (
        not isinstance(node, ast.FunctionDef)
        or made.__code__.co_varnames[: made.__code__.co_argcount]
        != (original.__code__.co_varnames[: original.__code__.co_argcount])
    ):
        return
    had, now = original.__defaults__ or (), made.__defaults__ or ()
    if len(had) == len(now):
        literal = [isinstance(item, (ast.Constant, ast.UnaryOp)) for item in node.args.defaults]
        made.__defaults__ = tuple(b if plain else a for a, b, plain in zip(had, now, literal, strict=True)) or None
    for item, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        kept = original.__kwdefaults__ or {}
        if made.__kwdefaults__ and item.arg in kept and not isinstance(value, (ast.Constant, ast.UnaryOp)):
            made.__kwdefaults__[item.arg] = kept[item.arg]
