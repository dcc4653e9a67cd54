"""Write the pages of ``docs/reference``: what the magics, the verbs, the options and the errors say of themselves.

python docs/generate.py            write them
python docs/generate.py --check    say which of them are out of date, and end with 1 if there are any
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
from pathlib import Path

from project_o.operations import arguments_of, spelled

FOLDER = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the code itself: change it there, and run `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> text."""
    return {
        "magics.md": HEAD + _magics(),
        "verbs.md": HEAD + _verbs(),
        "options.md": HEAD + _options(),
        "errors.md": HEAD + _errors(),
    }


def _magics() -> str:
    from IPython.core.magic import Magics

    import project_o.magics as room

    parts = ["# Magics\n\nEach shows the same in a notebook with a question mark: `%%zig?`.\n"]
    for module in sorted(item.name for item in pkgutil.iter_modules(room.__path__)):
        found = importlib.import_module(f"{room.__name__}.{module}")
        for _, kind in inspect.getmembers(found, inspect.isclass):
            if not issubclass(kind, Magics) or kind.__module__ != found.__name__:
                continue
            names = sorted({*kind.magics["line"], *kind.magics["cell"]})
            parts += [_magic(kind, name) for name in names]
    return "\n".join(parts)


def _magic(kind: type, name: str) -> str:
    tables = kind.magics  # type: ignore[attr-defined]  # set by magics_class
    spelt = [sign + name for sign, table in (("%", "line"), ("%%", "cell")) if name in tables[table]]
    function = getattr(kind, tables["line"].get(name) or tables["cell"][name])
    parser = getattr(function, "parser", None)
    said = inspect.cleandoc(getattr(parser, "description", None) or inspect.getdoc(function) or "").replace("::\n", "")
    lines = [f"## {' and '.join(f'`{word}`' for word in spelt)}\n", said.strip().replace("``", "`"), ""]
    rows = [(_written(action), action.help) for action in arguments_of(parser)] if parser is not None else []
    if rows:
        lines += ["| argument | what it does |", "| --- | --- |"]
        lines += [f"| {word} | {_cell(text)} |" for word, text in rows] + [""]
    return "\n".join(lines)


def _written(action: argparse.Action) -> str:
    return f"`{spelled(action)}`".replace("|", "\\|")


def _cell(text: str | None) -> str:
    """Text in a table; a doubled percent sign is argparse's way to write one."""
    return (text or "").replace("|", "\\|").replace("``", "`").replace("%%", "%")


def _verbs() -> str:
    from project_o.operations import VERBS
    from project_o.operations.verbs import add_arguments

    lines = [
        "# Verbs\n",
        "Each is `%o VERB` in a notebook and `project-o VERB` in a terminal, where it speaks of the working folder.\n",
        "| verb | what it does |",
        "| --- | --- |",
    ]
    for name, verb in VERBS.items():
        parser = argparse.ArgumentParser(prog=name, add_help=False)
        add_arguments(parser, verb)
        words = " ".join(_written(action).strip("`") for action in arguments_of(parser))
        lines.append(f"| `{name} {words}".rstrip() + f"` | {_cell(verb.help)} |")
    return "\n".join(lines) + "\n"


def _options() -> str:
    from project_o.config import OPTIONS

    lines = [
        "# Options\n",
        "The first of these that names an option wins: `%config ProjectO.NAME = value`, the environment variable,",
        "`project-o.toml` or the `[tool.project-o]` table of `pyproject.toml` in the working folder or above it.",
        "`%o config` shows what is in force, and where it comes from.\n",
        "| option | default | environment variable | what it changes |",
        "| --- | --- | --- | --- |",
    ]
    for option in OPTIONS:
        shown = ("on" if option.default else "off") if option.kind is bool else str(option.default) or "none"
        words = f"{option.doc} ({', '.join(map(str, option.choices))})" if option.choices else option.doc
        lines.append(f"| `{option.name}` | {shown} | `{option.variable}` | {words} |")
    return "\n".join(lines) + "\n"


def _errors() -> str:
    import project_o.errors

    text = inspect.getdoc(project_o.errors) or ""
    first, _, tree = text.partition("\n\n")
    return f"# Errors\n\n{first} All of them are in `project_o.errors`.\n\n```text\n{tree.strip()}\n```\n"


def main(*, check: bool) -> int:
    """Write or compare; how many pages differed, as an exit status when comparing."""
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if not path.is_file() or path.read_text("utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, "utf-8")
    if check and stale:
        print(f"out of date: {', '.join(stale)}: run python docs/generate.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
