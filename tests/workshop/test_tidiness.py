"""Style as a test: lengths, words, dead modules, safety comments, lint, types. Each message says how to mend it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FILE_LINES_MAX = 400
TABLES = {"limits.py": 600}
"""Files that are one table, of a line for each of its things: they are looked up, not read."""
FUNCTION_LINES_MAX = 60
SAFETY_LINES_ABOVE = 8

SOURCE_SUFFIXES = {".py", ".zig", ".c", ".h", ".rs", ".ts", ".hy"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {".md", ".toml", ".json", ".yml", ".yaml", ".ipynb", ".sh", ".cfg", ".txt", ""}
NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", ".o", "demo-output", "build", "dist"}


def pieces(*words: str) -> str:
    """A banned word put together, so that this file passes its own rule."""
    return "".join(words)


ONE_MACHINE = "a path of one machine: make it relative, or take it from the environment"
BANNED = {
    pieces(r"\bTO", r"DO\b"): "do it, or write it down where plans are kept",
    pieces(r"\bFIX", r"ME\b"): "mend it now",
    pieces(r"\bXX", r"X\b"): "say what is wrong in a sentence",
    pieces(r"\bNotImplemented", r"Error\b"): "finish it, or leave it out",
    pieces(r"(?i)\b(?:co-authored|generated)[- ]", r"by:"): "say what the code does, not how it came about",
    pieces(r"(?i)\bissue", r" #?\d"): "give the reason itself instead of a number",
    pieces(r"(?m)^(?:<{7}|>{7}", r") "): "a merge that was not finished: keep one side, or both",
    pieces(r"(?<![\w.$}*-])/wor", r"k(?![\w-])"): ONE_MACHINE,
    pieces(r"(?<![\w.$}*-])/roo", r"t(?![\w.-])"): ONE_MACHINE,
    pieces(r"\b(?:pitfalls|DESI", r"GN|STY", r"LE)\.md\b"): "a page that is not in this repository: say what it says",
    pieces(r"\b(?:files\.pythonhosted|py", r"pi|registry\.npmjs|crates|proxy\.golang)\.(?:org|io)\b"): (
        "the host of a registry: the user's own package client knows where to look"
    ),
}

POINTERS = {"CDLL", "PyDLL", "LoadLibrary", "dlopen", "from_address", "string_at", "memmove"}
CASTERS = {"ctypes", "ffi", "_ffi"}
ZIG_POINTERS = re.compile(r"@ptrFromInt\(|@ptrCast\(")


def repository_files(root: Path) -> list[Path]:
    """The files that git knows or would add; every file outside the well-known folders where there is no git."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
        found = [root / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in root.rglob("*") if not NOT_OURS & set(path.relative_to(root).parts)]
    return sorted(path for path in found if path.is_file())


# ------------------------------------------------------------------------------- lengths


def long_files(paths: list[Path], root: Path) -> list[str]:
    found = []
    for path in paths:
        if path.suffix in SOURCE_SUFFIXES:
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > TABLES.get(path.name, FILE_LINES_MAX):
                found.append(
                    f"{path.relative_to(root)}: {lines} lines, at most {FILE_LINES_MAX}: one idea a file, split it"
                )
    return found


def long_functions(source) -> list[str]:
    return [
        f"{source.place}:{node.lineno}: {node.name} has {_length(node)} lines, at most {FUNCTION_LINES_MAX}: "
        f"take a step with a name of its own out of it"
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _length(node) > FUNCTION_LINES_MAX
    ]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_files_are_short(root):
    found = long_files(repository_files(root), root)

    assert not found, "\n".join(found)


def test_functions_fit_on_a_screen(sources):
    found = [line for source in sources for line in long_functions(source)]

    assert not found, "\n".join(found)


# ------------------------------------------------------------------------------- words


def banned_words(text: str, place: str) -> list[str]:
    return [
        f"{place}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: {how}"
        for pattern, how in BANNED.items()
        for match in re.finditer(pattern, text)
    ]


def test_no_banned_words(root):
    found = []
    for path in repository_files(root):
        if path.suffix in TEXT_SUFFIXES:
            found += banned_words(path.read_text(encoding="utf-8", errors="replace"), str(path.relative_to(root)))

    assert not found, "\n".join(found)


# ------------------------------------------------------------------------------- dead modules


def entry_points(root: Path) -> set[str]:
    """Modules that something outside the package names: console scripts and the kernelspec."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {target.split(":")[0] for target in project.get("scripts", {}).values()}
    for path in (root / "kernel" / "kernelspec").glob("*.json"):
        named |= set(re.findall(r'"(project_o[\w.]*)"', path.read_text(encoding="utf-8")))
    return named


def named_in(text: str) -> set[str]:
    """The modules that a string names: ``project_o.a.b``, or ``from project_o.a import b``."""
    dotted = set(re.findall(r"\bproject_o(?:\.\w+)+", text))
    return dotted | {f"{base}.{name}" for base, name in re.findall(r"from (project_o[\w.]*) import (\w+)", text)}


def dead_modules(sources, entries: set[str]) -> list[str]:
    """Modules that no other module imports or names."""
    known = frozenset(source.name for source in sources)
    alive = set(entries) | {"project_o", "project_o.__main__"}
    for source in sources:
        for imported, _ in source.imports(known):
            if imported != source.name:
                alive.add(imported)
        for node in ast.walk(source.tree):
            # Modules that another process is told to run, or that are imported by name when first used.
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                alive |= named_in(node.value) - {source.name}
    # What is alive in a package keeps the package's own __init__ alive.
    alive |= {name.rpartition(".")[0] for name in list(alive) if name in known}
    return [
        f"{source.place}: nothing imports {source.name}: use it or remove it"
        for source in sources
        if source.name not in alive
    ]


def test_no_dead_modules(root, sources):
    found = dead_modules(sources, entry_points(root))

    assert not found, "\n".join(found)


# ------------------------------------------------------------------------------- safety


def unsafe_calls(source) -> list[str]:
    """Loads of libraries and raw memory accesses without a ``SAFETY:`` sentence above them or in their function."""
    lines = source.text.split("\n")
    spans = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    found = []
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and _touches_memory(node.func)):
            continue
        start = max((first for first, last in spans if first <= node.lineno <= last), default=node.lineno)
        above = lines[max(0, min(start - 1, node.lineno - 1 - SAFETY_LINES_ABOVE)) : node.lineno]
        if not any("SAFETY:" in line for line in above):
            found.append(f"{source.place}:{node.lineno}: say in a SAFETY: comment above it why this access is sound")
    return found


def _touches_memory(function: ast.expr) -> bool:
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name != "cast":
        return name in POINTERS
    owner = function.value if isinstance(function, ast.Attribute) else None
    last = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return last in CASTERS


def unsafe_zig(text: str, place: str) -> list[str]:
    """Pointer casts in Zig without a ``SAFETY:`` sentence in the lines above them."""
    lines = text.split("\n")
    return [
        f"{place}:{k + 1}: say in a SAFETY: comment above it why this cast is sound"
        for k, line in enumerate(lines)
        if ZIG_POINTERS.search(line.split("//")[0])
        and not any("SAFETY:" in one for one in lines[max(0, k - SAFETY_LINES_ABOVE) : k + 1])
    ]


def test_raw_memory_carries_a_safety_comment(root, sources):
    found = [line for source in sources for line in unsafe_calls(source)]
    for path in sorted([*(root / "kernel").rglob("*.zig"), *(root / "native").rglob("*.zig")]):
        found += unsafe_zig(path.read_text(encoding="utf-8"), str(path.relative_to(root)))

    assert not found, "\n".join(found)


# ------------------------------------------------------------------------------- lint and types


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("ruff", "check", "--quiet", "."), "ruff check --fix ."),
        (("ruff", "format", "--check", "--quiet", "."), "ruff format ."),
        (("mypy",), "mypy, and give the types it misses"),
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_lint_and_types_are_clean(root, arguments, mend):
    command = [sys.executable, "-m", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=280)

    assert answer.returncode == 0, f"run {mend}\n{answer.stdout[-4000:]}{answer.stderr[-1000:]}"


# ------------------------------------------------------------------------------- the rules themselves


def test_long_things_are_found(make_source, tmp_path):
    body = "\n".join(f"    x = {k}" for k in range(FUNCTION_LINES_MAX))
    source = make_source("a.py", f"def f():\n{body}\n" + "y = 1\n" * FILE_LINES_MAX)

    assert len(long_functions(source)) == 1
    assert len(long_files([source.path], tmp_path)) == 1
    assert long_functions(make_source("b.py", "def f():\n    return 1\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        pieces("# TO", "DO later"),
        pieces("raise NotImplemented", "Error"),
        pieces("see /wor", "k/main"),
        pieces('home = "/roo', 't"'),
        pieces("https://py", "pi.org/x"),
        pieces("see issue", " 12"),
        pieces("one\n<<<<<<", "< ours\n"),
    ],
)
def test_banned_words_are_found(text):
    assert len(banned_words(text, "a.py")) == 1


@pytest.mark.parametrize(
    "text", ["check.todo", "zig/root.zig", "a/workers", "@import('root')", "$HOME/work", "an issue of taste", "./root"]
)
def test_ordinary_words_are_not(text):
    assert banned_words(text, "a.py") == []


def test_dead_modules_are_found(make_source):
    used = make_source("evolution/used.py", "x = 1")
    dead = make_source("evolution/dead.py", "from . import used")
    package = make_source("evolution/__init__.py", "")
    runner = make_source("cli.py", "import sys\nRUN = 'project_o.sandbox.helper'")
    helper = make_source("sandbox/helper.py", "")
    room = make_source("sandbox/__init__.py", "")

    found = dead_modules([used, dead, package, runner, helper, room], {"project_o.cli"})

    assert len(found) == 1
    assert "evolution.dead" in found[0]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("import ctypes\nctypes.CDLL(None)", 1),
        ("# SAFETY: the C library outlives us.\nctypes.CDLL(None)", 0),
        ("def f(ffi, p):\n    # SAFETY: p is alive.\n    a = 1\n    return ffi.cast('int *', p)", 0),
        ("def f(ffi, p):\n    return ffi.cast('int *', p)", 1),
        ("from typing import cast\ncast(int, 1)\ntyping.cast(int, 1)", 0),
    ],
)
def test_unsafe_calls_are_found(make_source, text, count):
    assert len(unsafe_calls(make_source("a.py", text))) == count


def test_unsafe_zig_is_found():
    assert len(unsafe_zig("const p: *u8 = @ptrFromInt(a);", "a.zig")) == 1
    assert unsafe_zig("// SAFETY: a is an address of ours.\nconst p: *u8 = @ptrFromInt(a);", "a.zig") == []
