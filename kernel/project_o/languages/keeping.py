"""What a text keeps from one call to the next, beyond its arguments: another build of it would begin without that.

Two builds of one text may take each other's place between two calls only where nothing is kept. Said too often, this
costs a cell some tenths of a second; said too seldom, it would cost the user their state. So it looks for every
variable outside of functions, for addresses as numbers, which may be handed to Python and back, and for threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .tokens import GRAMMARS, tokens
from .trees import nodes, tree

_ZIG_LOCAL = frozenset({"block", "comptime_statement"})
_ZIG_WORDS: Mapping[str, str] = {
    "@intFromPtr": "it makes a number of an address",
    "@ptrFromInt": "it makes an address of a number",
    "@extern": "it takes a symbol that is not its own",
    "extern": "it uses what is not its own",
    "Thread": "it starts threads",
    "concurrent": "it starts threads",
    "pthread_create": "it starts threads",
    "sigaction": "it installs a handler",
    "atexit": "it installs a handler",
}
_RUST_WORDS: Mapping[str, str] = {
    "thread_local": "it has a value for each thread",
    "unsafe": "it is unsafe",
    "extern": "it uses what is not its own",
    "thread": "it starts threads",
    "leak": "it leaks memory on purpose",
    "into_raw": "it makes an address",
}


def keeps(language: str, source: str) -> str:
    """Why a text of Zig or Rust may keep something between two calls, in words; "" where it keeps nothing."""
    return _KEEPS[language](source)


def _zig(source: str) -> str:
    root = tree(GRAMMARS["zig"], source)
    if root.has_error:
        return "it cannot be read"
    for node in nodes(GRAMMARS["zig"], root, '(variable_declaration "var") @variable'):
        if node.parent is None or node.parent.type not in _ZIG_LOCAL:
            return f"it has a variable of its own in line {node.start_point[0] + 1}"
    return _word("zig", source, _ZIG_WORDS)


def _rust(source: str) -> str:
    root = tree(GRAMMARS["rust"], source)
    if root.has_error:
        return "it cannot be read"
    for node in nodes(GRAMMARS["rust"], root, "(static_item) @static"):
        return f"it has a static in line {node.start_point[0] + 1}"
    return _word("rust", source, _RUST_WORDS)


def _word(language: str, source: str, words: Mapping[str, str]) -> str:
    if not any(word in source for word in words):
        return ""
    found, _ = tokens(language, source)
    return next((f"{words[text]} in line {line}" for text, line in found if text in words), "")


_KEEPS: Mapping[str, Callable[[str], str]] = {"zig": _zig, "rust": _rust}
