"""Native modules and functions: what they are called with, in Python's words, and how they were built."""

from __future__ import annotations

from .. import abi, limits
from ..values import Artifact, Interface, NativeFunction, NativeType
from . import numbers, style
from .display import Display, Part, page
from .markup import escape, join, tag
from .parts import items, left_out, line, note, section, title
from .text import clean, counted


def show_module(
    name: str, interface: Interface, artifact: Artifact | None = None, *, notes: tuple[str, ...] = ()
) -> Display:
    """A native object: its functions with their signatures, what was skipped and why, the build, ``notes``."""
    shown = interface.functions[: limits.TABLE_ROWS_MAX]
    language = artifact.program.language if artifact else "native"
    return page(
        title(name, detail=f"{language}, {counted(len(interface.functions), 'function')}"),
        _signatures(shown) if shown else None,
        left_out(len(interface.functions) - len(shown)),
        section("skipped") if interface.skipped else None,
        items([f"{skipped}: {reason}" for skipped, reason in interface.skipped]),
        note(build_line(artifact)) if artifact else None,
        *(note(text) for text in notes),
    )


def show_function(
    function: NativeFunction, artifact: Artifact | None = None, *, notes: tuple[str, ...] = ()
) -> Display:
    """One native function: signature, documentation, line in the cell, build."""
    return page(
        _signatures((function,), summaries=False),
        line(function.doc.strip()) if function.doc.strip() else None,
        note(f"line {function.line} of the cell") if function.line else None,
        note(build_line(artifact)) if artifact else None,
        *(note(text) for text in notes),
    )


def signature(function: NativeFunction) -> str:
    """``top_k(queries: 2-d float32 array, k: int) -> float32 array``."""
    taken = ", ".join(f"{name}: {abi.spell_parameter(kind)}" for name, kind in function.parameters)
    return clean(f"{function.name}({taken}) -> {spell_result(function.result)}")


def spell_result(kind: NativeType) -> str:
    """A result in Python's words. An array that comes back is new and ours, so that it is writable says nothing."""
    word = abi.spell(kind).replace("writable ", "")
    return f"{word}, or raises" if kind.kind == "error_union" else word


def build_line(artifact: Artifact) -> str:
    """``zig 0.17.1, safe, 7.6 kB, built in 0.12 s``; ``cached`` where nothing had to be built."""
    how = "cached" if artifact.cached else f"built in {numbers.seconds(artifact.seconds)}"
    return f"{artifact.toolchain}, {artifact.program.mode}, {numbers.size(artifact.size_bytes)}, {how}"


def _signatures(functions: tuple[NativeFunction, ...], *, summaries: bool = True) -> Part:
    """Signatures below each other, each with the first sentence of its documentation."""
    plain: list[str] = []
    html = []
    for function in functions:
        text = signature(function)
        summary = clean(function.doc.strip().split("\n")[0]) if summaries else ""
        plain += [f"  {text}", *([f"      {summary}"] if summary else [])]
        name, rest = text[: len(clean(function.name))], text[len(clean(function.name)) :]
        pieces = [tag("strong", name), escape(rest), "\n" if function is not functions[-1] or summary else ""]
        if summary:
            last = "" if function is functions[-1] else "\n"
            pieces += [tag("span", f"    {summary}", style=style.FAINT), last]
        html.append(join(*pieces))
    wrapping = f"{style.PRE};white-space:pre-wrap"
    return Part("\n".join(plain), tag("pre", *html, style=wrapping))
