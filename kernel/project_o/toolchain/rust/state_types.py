"""The types of which the state of a Rust module is made: for the host to compare two builds by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import STATE, Facts, Structure, quoted

_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBERS = "size: 0, align: 1, fields: &[]"


def laid_out(facts: Facts) -> list[str]:
    """The declaration of ``__O_STATE_TYPES``: the state first, then each type of the module that it may hold.

    Where a type is generic or an enum only its text is compared; the same text is laid out in the same way by the same
    compiler, and another compiler is another build that is not compared.
    """
    structures = {item.name: item for item in facts.structures}
    texts = dict(facts.types)
    rows = [
        f"::o::shim::Laid {{ name: {quoted(name)}, text: {quoted(texts[name])}, "
        f"{_measured(structures[name]) if name in structures else _NUMBERS} }}"
        for name in _reached(texts)
    ]
    return [f"const __O_STATE_TYPES: &[::o::shim::Laid] = &[{', '.join(rows)}];"]


def _reached(texts: dict[str, str]) -> Iterator[str]:
    """The state and what it names, directly or through others."""
    found, ahead = {STATE}, [STATE]
    while ahead:
        name = ahead.pop(0)
        yield name
        for word in _NAME.findall(texts[name]):
            if word in texts and word not in found:
                found.add(word)
                ahead.append(word)


def _measured(structure: Structure) -> str:
    lifetimes = ", ".join("'_" for _ in structure.lifetimes)
    name = f"self::{structure.name}" + (f"<{lifetimes}>" if lifetimes else "")
    places = ", ".join(f"({quoted(field)}, ::core::mem::offset_of!({name}, {field}))" for field, _ in structure.fields)
    return f"size: ::core::mem::size_of::<{name}>(), align: ::core::mem::align_of::<{name}>(), fields: &[{places}]"
