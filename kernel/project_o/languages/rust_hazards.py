"""What Rust offers beyond computing: words, paths and attributes, with why a proposed text should leave them out."""

from __future__ import annotations

from collections.abc import Iterator

from .tokens import Token

READS = frozenset({"include!", "include_str!", "include_bytes!", "env!", "option_env!", "mod"})
"""Macros with which a text has its compiler read files or the environment, and modules in files of their own."""

REASONS = {
    "asm!": "assembly does what nothing here can look at",
    "extern": "it calls functions that are not its own",
    "std::process": "it starts or ends processes",
    "std::fs": "it reads or writes files",
    "std::net": "it uses the network",
    "std::env": "it reads the environment",
    "std::os": "it asks the operating system",
    "std::thread": "threads, which the sandbox refuses: what runs without them is what was not tried",
    "std::time": "it looks at the clock: an answer follows from what is in the arguments",
    "std::panic": "a panic must reach us",
    "the processor's own": "it finds out where it runs: an answer follows from what is in the arguments",
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
    "unsafe": "the compiler does not check it, and what serves runs in the kernel's own process",
    "std::io": "input and output, of which nothing is read",
    "std::ffi": "types of foreign functions",
    "std::alloc": "memory by hand",
}
_MODULES = frozenset(name.removeprefix("std::") for name in (*REASONS, *REPORTED) if name.startswith("std::"))
_ATTRIBUTES = frozenset(name[2:-1] for name in REASONS if name.startswith("#["))
_ROOTS = frozenset({"std", "core", "alloc"})  # all are named std in the tables
_ASSEMBLY = frozenset({"asm", "global_asm", "naked_asm"})
_MACHINE = frozenset({"_rdtsc", "__rdtscp", "__cpuid", "__cpuid_count", "_rdrand64_step", "_rdseed64_step"})
"""Its clock, its name and its chance, from ``core::arch``."""
_READING = frozenset({"include_str", "include_bytes", "option_env"})
_READING_WORDS = frozenset({"include", "env"})  # names of other things, too


def found(stream: list[Token]) -> Iterator[tuple[int, str]]:
    """(line, what) of all in READS, REASONS and REPORTED, in code and in macros alike."""
    texts = [token.text.removeprefix("r#") for token in stream]
    macros = not {"macro_rules", "macro_rules!"}.isdisjoint(texts)  # then a name may become a macro's
    closing = 0
    for k, (text, line) in enumerate(zip(texts, (token.line for token in stream), strict=True)):
        if text == "#" and k >= closing:
            closing = _closing(texts, k)
        if text in ("unsafe", "extern"):
            yield line, text
        elif text in _ASSEMBLY:
            yield line, "asm!"
        elif text in _READING or (text in _READING_WORDS and (macros or texts[k + 1 : k + 2] == ["!"])):
            yield line, f"{text}!"
        elif text in _MACHINE:
            yield line, "the processor's own"
        elif text == "mod" and texts[k + 2 : k + 3] == [";"]:
            yield line, text
        elif text in _ATTRIBUTES and k < closing:
            yield line, f"#[{text}]"
        elif text in _ROOTS:
            yield from ((line, what) for what in _below(texts, k))


def _closing(texts: list[str], hash_sign: int) -> int:
    """Where the attribute that begins here ends; where there is none, here."""
    start = hash_sign + 2 if texts[hash_sign + 1 : hash_sign + 2] == ["!"] else hash_sign + 1
    depth = 0
    for k in range(start, len(texts)):
        depth += (texts[k] == "[") - (texts[k] == "]")
        if depth == 0:
            return k
    return len(texts)


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
