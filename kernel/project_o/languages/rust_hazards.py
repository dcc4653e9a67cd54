"""What Rust offers beyond computing: words, paths and attributes, with why a proposed text should leave them out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .tokens import Token

READS = re.compile(
    r"\b(?:include(?:_str|_bytes)?|env|option_env|(?:global_|naked_)?asm)\b"
    r"|\bpath\b(?=.*\bmod\b)|\bmod\b(?=.*\bpath\b)",
    re.DOTALL,
)
"""Macros that read files or the environment, under another name too (``use std::env as e; e!("HOME")``); assembly,
which may include files; ``#[path]`` of a module, as macros may put it together too."""

REASONS = {
    "unsafe": "what serves runs in the kernel's own process, and the compiler does not check an unsafe block",
    "extern": "it calls functions that are not its own",
    "std::process": "it starts or ends processes",
    "std::fs": "it reads or writes files",
    "std::net": "it uses the network",
    "std::env": "it reads the environment",
    "std::os": "it asks the operating system",
    "std::*": "every module of std under its own name: name the ones that are needed",
    "std": "std under another name: name it std",
    "#[no_mangle]": "its symbol may take the place of another",
    "#[export_name]": "its symbol may take the place of another",
    "#[link]": "it links what is not its own",
    "#[link_name]": "it links what is not its own",
    "#[link_section]": "code in a section of its own may run before it is called",
    "#[global_allocator]": "all memory of the build would be its own",
    "#[panic_handler]": "a panic must reach us",
    "": "a proposed text should only compute",
}
REPORTED = {
    "std::thread": "threads, which the sandbox refuses",
    "std::io": "input and output, of which nothing is read",
    "std::ffi": "types of foreign functions",
    "std::alloc": "memory by hand",
}
_MODULES = frozenset(name.removeprefix("std::") for name in (*REASONS, *REPORTED) if name.startswith("std::"))
_ATTRIBUTES = frozenset(name[2:-1] for name in REASONS if name.startswith("#["))
_ROOTS = frozenset({"std"})


def found(stream: list[Token]) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in REASONS and REPORTED, in code and in macros alike."""
    texts = [token.text for token in stream]
    for k, (text, line) in enumerate(stream):
        if text in ("unsafe", "extern"):
            yield line, text
        elif text in _ATTRIBUTES and "#" in texts[max(0, k - 12) : k]:
            yield line, f"#[{text}]"
        elif text in _ROOTS:
            yield from ((line, what) for what in _below(texts, k))


def _below(texts: list[str], root: int) -> Iterator[str]:
    """What of std is used where the word std stands."""
    after = texts[root + 1 : root + 3]
    if after[:1] == ["as"]:
        yield "std"
    if after[:1] != ["::"]:
        return
    if after[1:] == ["*"]:
        yield "std::*"
    elif after[1:] == ["{"]:
        yield from _group(texts, root + 2)
    elif after[1:] and after[1] in _MODULES:
        yield f"std::{after[1]}"


def _group(texts: list[str], start: int) -> Iterator[str]:
    """The first words of each part of ``{fs::{self, File}, env}``."""
    depth = 0
    for k in range(start, len(texts)):
        text = texts[k]
        depth += (text == "{") - (text == "}")
        if depth == 0:
            return
        if depth == 1 and texts[k - 1] in ("{", ","):
            if text == "*":
                yield "std::*"
            elif text == "self" and texts[k + 1 : k + 2] == ["as"]:
                yield "std"
            elif text in _MODULES:
                yield f"std::{text}"
