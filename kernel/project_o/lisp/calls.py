"""Calls of tools in a model's text: ``(tool-name arg1: value1 arg2: "two")``. A strict parser; nothing is evaluated.

    call    ::= "(" NAME (NAME ":" value)* ")"
    value   ::= string | number | "true" | "false" | "null" | "[" value* "]" | "{" (string ":" value)* "}"

Strings are JSON's. Commas between values are allowed, as JSON has them. Only tools that are registered have a
name here, only their own parameters, and only values of their types; everything else is a problem in words, or, where
the text does not begin as a call of any of them, plain text. No Hy is needed here, and none may be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import limits
from .specs import ToolParameter, ToolSpec, canonical

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:(?!:)", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?(?![\w.])", re.ASCII)
_WORD = re.compile(r"(true|false|null)(?!\w)", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_SPACE = re.compile(r"[\s,]*")
_WORDS = {"true": True, "false": False, "null": None}
_CALL = re.compile(r"\(\s*[A-Za-z_][\w-]*(?:\s*\)|\s+[A-Za-z_][\w-]*\s*:)", re.ASCII)
"""How a call begins; a text that merely stands in brackets does not."""


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as it was written. ``problem`` says why it is not to be carried out; it is then empty of arguments."""

    name: str
    arguments: Mapping[str, Any]
    problem: str = ""


class _Bad(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong with a call, in words for who wrote it."""


def written_calls(text: str, tools: Sequence[ToolSpec]) -> list[WrittenCall]:
    """The calls that a text consists of; none where it is anything but calls, so that it is a reply."""
    text = text.strip()
    if not _CALL.match(text):
        return []
    known = {canonical(tool.name): tool for tool in tools}
    found: list[WrittenCall] = []
    at = 0
    while at < len(text):
        if not _CALL.match(text, at) or len(found) == limits.WRITTEN_CALLS_MAX:
            # Words behind a call, or more calls than anyone means: it is not known what is meant, so nothing is done.
            return [WrittenCall("", {}, f"behind call {len(found)} there is {text[at : at + 40]!r}: write calls only")]
        try:
            name, arguments, at = _call(text, at, known)
        except _Bad as bad:
            match = _NAME.search(text, at)
            return [WrittenCall(match[0] if match else "", {}, str(bad))]
        found.append(WrittenCall(name, arguments))
        at = _skip(text, at)
    return found


def how_to_call(tools: Sequence[ToolSpec]) -> str:
    """What a model is told that calls tools in its text: how, and which there are."""
    lines = ["To use a tool, write its call and nothing else; the result comes in the next message. The tools:"]
    for tool in tools:
        given = "".join(
            f" {canonical(item.name)}: {item.wanted}{'' if item.required else '?'}" for item in tool.parameters
        )
        lines.append(f"({canonical(tool.name)}{given})" + (f" - {' '.join(tool.doc.split())}" if tool.doc else ""))
    return "\n".join(lines)


def _call(text: str, at: int, known: Mapping[str, ToolSpec]) -> tuple[str, dict[str, Any], int]:
    at = _skip(text, at + 1)
    match = _NAME.match(text, at)
    assert match is not None, "the beginning of a call has a name"
    tool = known.get(canonical(match[0]))
    if tool is None:
        names = ", ".join(item.name for item in known.values()) or "none"
        raise _Bad(f"there is no tool {match[0]}: there are {names}")
    parameters = {canonical(item.name): item for item in tool.parameters}
    arguments: dict[str, Any] = {}
    at = _skip(text, match.end())
    while text[at : at + 1] != ")":
        key = _KEY.match(text, at)
        if key is None:
            what = repr(text[at : at + 20]) if at < len(text) else "the text ends"
            raise _Bad(f"({tool.name} ...: {what} where 'name: value' or ')' must stand")
        name = canonical(key[1])
        if name not in parameters:
            raise _Bad(f"{tool.name} has no parameter {key[1]}: it has {', '.join(parameters) or 'none'}")
        if name in arguments:
            raise _Bad(f"{tool.name}: {key[1]} is given twice")
        value, at = _value(text, _skip(text, key.end()), 0)
        if not fits(parameters[name], value):
            raise _Bad(f"{tool.name}: {key[1]} must be {parameters[name].wanted}, not {json.dumps(value)[:40]}")
        arguments[name] = value
        at = _skip(text, at)
    if missing := [name for name, item in parameters.items() if item.required and name not in arguments]:
        raise _Bad(f"{tool.name} needs {', '.join(missing)}")
    return tool.name, arguments, at + 1


def fits(parameter: ToolParameter, value: Any) -> bool:
    """Whether a value as JSON has it is of the parameter's type; null where the parameter has a default."""
    if value is None:
        return not parameter.required or parameter.type == "any"
    if parameter.choices and value not in parameter.choices:
        return False
    match parameter.type:
        case "any":
            return True
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
    return isinstance(value, dict)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > limits.LISP_NESTING_FORMS_MAX:
        raise _Bad(f"lists are nested deeper than {limits.LISP_NESTING_FORMS_MAX}")
    sign = text[at : at + 1]
    if sign == "[":
        return _list(text, at, depth)
    if sign == "{":
        return _dict(text, at, depth)
    if match := _STRING.match(text, at):
        return json.loads(match[0]), match.end()
    if match := _WORD.match(text, at):
        return _WORDS[match[0]], match.end()
    if match := _NUMBER.match(text, at):
        return json.loads(match[0]), match.end()
    what = repr(text[at : at + 20]) if sign else "the text ends"
    raise _Bad(f'{what} where a value must stand: a "string", a number, true, false, null, [ ] or {{ }}')


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        value, at = _value(text, at, depth + 1)
        found.append(value)
        at = _skip(text, at)
    return found, at + 1


def _dict(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key = _STRING.match(text, at)
        colon = _skip(text, key.end()) if key else at
        if key is None or text[colon : colon + 1] != ":":
            raise _Bad(f'{text[at : at + 20]!r} where a "name": value of {{ }} must stand')
        found[json.loads(key[0])], at = _value(text, _skip(text, colon + 1), depth + 1)
        at = _skip(text, at)
    return found, at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None, "no space is space"
    return match.end()
