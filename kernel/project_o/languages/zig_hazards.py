"""What Zig offers beyond computing: builtins, imports, parts of std; with why a proposed text should do without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .tokens import Token

READS = frozenset({"@embedFile", "@cImport", "@cInclude"})
"""Builtins with which a text has its compiler read files."""

REASONS = {
    "@cDefine": "it belongs to C's headers",
    "@cUndef": "it belongs to C's headers",
    "@extern": "it takes a symbol that is not its own",
    "@export": "its symbol may take the place of another",
    "@ptrFromInt": "a number as an address reaches any memory of the process",
    "@returnAddress": "it finds out where it runs: an answer follows from what is in the arguments",
    "@frameAddress": "it finds out where it runs: an answer follows from what is in the arguments",
    "asm": "assembly does what nothing here can look at",
    "extern": "it calls functions that are not its own",
    "export": "its symbol may take the place of another",
    "std.os": "it asks the operating system",
    "std.posix": "it asks the operating system",
    "std.c": "it calls the C library",
    "std.process": "it starts or ends processes, or reads the environment",
    "std.fs": "it reads or writes files",
    "std.http": "it uses the network",
    "std.net": "it uses the network",
    "std.Io.net": "it uses the network",
    "std.Io.Dir": "it reads or writes files",
    "std.Io.File": "it reads or writes files",
    "std.Io.Threaded": "it asks the operating system",
    "std.Io.Evented": "it asks the operating system",
    "std.Io.Uring": "it asks the operating system",
    "std.Io.Dispatch": "it asks the operating system",
    "std.Io.Kqueue": "it asks the operating system",
    "std.DynLib": "it loads libraries",
    "std.Options": "its Io asks the operating system",
    "std.options": "its Io asks the operating system",
    "std.testing.io_instance": "it asks the operating system",
    "std.testing.environ": "it reads the environment",
    "std.testing.tmpDir": "it reads or writes files",
    "std.Io.Clock": "it reads the clock: what a function answers follows from its arguments",
    "std.Io.Timestamp": "it reads the clock: what a function answers follows from its arguments",
    "std.Progress": "it asks the operating system",
    "std.zig.system": "it asks the operating system",
    "std.debug.SelfInfo": "it reads files and the process",
    "std.debug.lockStderr": "it writes to a file of the process",
    "std.debug.attachSegfaultHandler": "it takes the guard's place",
    "std.debug.maybeEnableSegfaultHandler": "it takes the guard's place",
    "std.debug.updateSegfaultHandler": "it takes the guard's place",
    "std.Build": "it is the build system",
    "std.start": "it is the beginning of a program",
    "std": "std under a name that does not show what is used of it: write std.NAME",
    "": "it is not among the program's own files",
}
REPORTED = {
    "@ptrCast": "a pointer of another type",
    "@alignCast": "a pointer with a promise",
    "@constCast": "a constant that may be written",
    "@intFromPtr": "an address as a number",
    "@setRuntimeSafety": "checks switched on or off",
    "std.Thread": "threads, which the sandbox refuses",
    "std.heap.c_allocator": "memory of the C library",
    "std.debug.print": "output, of which nothing is read",
}
_WORDS = frozenset(name for name in (*READS, *REASONS, *REPORTED) if name.startswith("@")) | {"asm", "export"}
_PATHS = tuple(name for name in (*REASONS, *REPORTED) if name.startswith("std."))
_KNOWN_IMPORTS = frozenset({'"std"', '"builtin"', '"o"'})


def found(stream: list[Token]) -> Iterator[tuple[int, str]]:
    """(line, what) of all in READS, REASONS and REPORTED. Imports of files have the file's name, as written."""
    texts = [token.text for token in stream]
    names = _aliases(texts)
    for k, (text, line) in enumerate(stream):
        if text in _WORDS or (text == "extern" and _is_linked(texts, k)):
            yield line, text
        elif text == "@import" and texts[k + 1 : k + 2] == ["("]:
            yield from ((line, what) for what in _import(texts, k))
        elif text in names and texts[k - 1 : k] != ["."]:
            yield from ((line, what) for what in _use(texts, k, names[text]))


def _is_linked(texts: list[str], k: int) -> bool:
    """Whether this ``extern`` is of a function or variable, and not of a struct's layout."""
    after = texts[k + 1 : k + 3]
    return any(text in ("fn", "var", "const") for text in after) and after[:1] not in (["struct"], ["union"], ["enum"])


def _import(texts: list[str], k: int) -> Iterator[str]:
    name = texts[k + 2] if k + 2 < len(texts) else ""
    if name not in _KNOWN_IMPORTS:
        yield f"@import({name})"
    elif name == '"std"' and texts[k + 3 : k + 5] == [")", "."]:
        yield from _matching(f"std.{_dotted(texts, k + 5)}")


def _use(texts: list[str], k: int, path: str) -> Iterator[str]:
    """What is used where a name stands that means std or a part of it."""
    if texts[k + 1 : k + 2] == ["."]:
        yield from _matching(f"{path}.{_dotted(texts, k + 2)}")
        return
    declares = texts[k - 1 : k] in (["const"], ["var"])
    value = texts[k - 1 : k] == ["="] and texts[k + 1 : k + 2] == [";"]  # another name for it, which is followed
    if path == "std" and not declares and not value:
        yield "std"
    elif not declares:
        yield from _matching(path)


def _matching(path: str) -> Iterator[str]:
    yield from (name for name in _PATHS if path == name or path.startswith(name + "."))


def _dotted(texts: list[str], k: int) -> str:
    """``a.b.c`` from here on."""
    parts = []
    while k < len(texts):
        parts.append(_plain(texts[k]))
        if texts[k + 1 : k + 2] != ["."]:
            break
        k += 2
    return ".".join(parts)


def _plain(text: str) -> str:
    return text[2:-1] if text.startswith('@"') else text


def _aliases(texts: list[str]) -> Mapping[str, str]:
    """Names that mean std or a part of it: ``const os = std.os;``, however many steps away."""
    declared: list[tuple[str, str, str]] = []
    for k, text in enumerate(texts):
        if text not in ("const", "var") or k + 2 >= len(texts):
            continue
        equals = k + 2 if texts[k + 2] == "=" else k + 4 if texts[k + 2] == ":" and texts[k + 4 : k + 5] == ["="] else 0
        if not equals or equals + 1 >= len(texts):
            continue
        value = equals + 1
        if texts[value : value + 4] == ["@import", "(", '"std"', ")"]:
            below = _dotted(texts, value + 5) if texts[value + 4 : value + 5] == ["."] else ""
            declared.append((texts[k + 1], "", below))
        else:
            first, _, below = _dotted(texts, value).partition(".")
            declared.append((texts[k + 1], first, below))
    names: dict[str, str] = {}
    for _ in range(len(declared)):
        before = len(names)
        for name, first, below in declared:
            base = "std" if not first else names.get(first)
            if base is not None:
                names[name] = f"{base}.{below}" if below else base
        if len(names) == before:
            break
    return names
