"""Grammars that let a model say nothing but a call of a registered tool, for servers that take one.

``gbnf`` is llama.cpp's notation (also of vLLM and others), of calls as ``calls`` reads them; ``json_schema`` the same
as a JSON schema of ``{"tool": ..., "arguments": {...}}``. Both come from the tools alone, and each text that they allow
is a call that can be carried out. Tools whose parameters are of type "any" take any JSON value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .specs import ToolParameter, ToolSpec, canonical

_RULES = """\
string ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" (["\\\\/bfnrt] | "u" hex hex hex hex))* "\\""
hex ::= [0-9a-fA-F]
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,15})?
boolean ::= "true" | "false"
any ::= string | number | boolean | "null" | array | object
array ::= "[" (any (", " any)*)? "]"
object ::= "{" (string ": " any (", " string ": " any)*)? "}"
"""


def gbnf(tools: Sequence[ToolSpec], *, text: bool = False) -> str:
    """A grammar whose ``root`` is one call of one of the tools; with ``text`` also plain text that begins with none.

    Raises UsageError without tools.
    """
    if not tools:
        raise UsageError("there are no tools to make a grammar of: give the agent some")
    rules = [f"call-{index} ::= {_call(tool)}" for index, tool in enumerate(tools)]
    calls = " | ".join(f"call-{index}" for index in range(len(tools)))
    otherwise = " | [^(] [^\\x00]*" if text else ""
    return "\n".join([f"root ::= call{otherwise}", f"call ::= {calls}", *rules, _RULES])


def _call(tool: ToolSpec) -> str:
    parts = [_literal(f"({canonical(tool.name)}")]
    parts += [_argument(item) if item.required else f"({_argument(item)})?" for item in tool.parameters]
    return " ".join([*parts, _literal(")")])


def _argument(item: ToolParameter) -> str:
    value = " | ".join(_literal(json.dumps(choice)) for choice in item.choices)
    return f"{_literal(f' {canonical(item.name)}: ')} {f'({value})' if value else item.type}"


def _literal(text: str) -> str:
    return json.dumps(text)


def json_schema(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """The same as a JSON schema. Raises UsageError without tools."""
    if not tools:
        raise UsageError("there are no tools to make a schema of: give the agent some")
    calls = [
        {
            "type": "object",
            "properties": {"tool": {"const": canonical(tool.name)}, "arguments": tool.schema()},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return calls[0] if len(calls) == 1 else {"anyOf": calls}
