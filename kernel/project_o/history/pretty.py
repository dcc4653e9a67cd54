"""A notebook as nbformat 4 writes it to a file, without loading nbformat: that takes a second or more, ours is valid.

A test compares it with nbformat's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

_plain = json.JSONEncoder(ensure_ascii=False).encode
_SPLIT = frozenset({"application/javascript", "image/svg+xml"})


def pretty(body: Mapping[str, Any]) -> str:
    """Lists of lines, indented by one, keys sorted."""
    return _text({**body, "cells": [_cell(cell) for cell in body["cells"]]}, "\n", sorted) + "\n"


def indented(value: Any) -> str:
    """A JSON value as ``json.dumps`` writes it with an indent of one and without escapes, in half the time."""
    return _text(value, "\n", list)


def _text(value: Any, line: str, order: Callable[[Iterable[str]], list[str]]) -> str:
    """As ``json.dumps`` with an indent of one, which has no fast form for that. ``line`` begins one."""
    if isinstance(value, str):
        return encode_basestring(value)
    inner = line + " "
    if isinstance(value, dict) and value:
        items = [f"{encode_basestring(key)}: {_text(value[key], inner, order)}" for key in order(value)]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}"
    if isinstance(value, (list, tuple)) and value:
        if {*map(type, value)} == {str}:  # the lines of a text: most of what there is
            return f"[{inner}{f',{inner}'.join(map(encode_basestring, value))}{line}]"
        return f"[{inner}{f',{inner}'.join([_text(item, inner, order) for item in value])}{line}]"
    return _plain(value)


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    split = {**cell, "source": cell["source"].splitlines(True)}
    if cell.get("attachments"):
        split["attachments"] = {name: _bundle(bundle) for name, bundle in cell["attachments"].items()}
    if cell["cell_type"] == "code":
        split["outputs"] = [_output(output) for output in cell["outputs"]]
    return split


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    if output.get("output_type") == "stream" and isinstance(output.get("text"), str):
        return {**output, "text": output["text"].splitlines(True)}
    if output.get("output_type") in ("execute_result", "display_data"):
        return {**output, "data": _bundle(output.get("data") or {})}
    return dict(output)


def _bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    return {
        mime: value.splitlines(True)
        if isinstance(value, str) and (mime.startswith("text/") or mime in _SPLIT)
        else value
        for mime, value in bundle.items()
    }
