"""Settings: one merged view of ``%config ProjectO``, the environment, a file, and the defaults.

The first source that names an option wins, in that order; ``effective`` says for each option which one it was.
The file is ``project-o.toml`` or the ``[tool.project-o]`` table of ``pyproject.toml``, in the working folder or
the nearest one above it.

To add one more option: a line in ``OPTIONS``, and a test in ``tests/test_config.py`` that shows what it changes.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import limits
from .errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be set. ``kind`` is its type; ``choices`` bound it where they are given."""

    name: str
    kind: type
    default: Any
    doc: str
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    """What a text has to look like, as a regular expression; "" where anything goes."""
    example: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"PROJECT_O_{self.name.upper()}"


@dataclass(frozen=True, slots=True)
class Setting:
    """The value in force, and the source that gave it."""

    option: Option
    value: Any
    source: str


OPTIONS: tuple[Option, ...] = (
    Option("history", bool, True, "record every cell in the private history store"),
    Option("history_quota_mb", int, 1024, "large outputs that the history keeps, in megabytes; the oldest go first"),
    Option("trial", bool, True, "try the first call of a new build in the sandbox"),
    Option("quick", bool, True, "serve an edited native cell at once, by a build that the optimised one replaces"),
    Option("mode", str, "safe", "how native cells are compiled", ("safe", "fast", "debug")),
    Option("dispatcher", bool, True, "call native functions through the compiled dispatcher, not through cffi"),
    Option("workers", int, 2, "candidates of a run that are built and checked at the same time"),
    Option("seed", int, 0, "the seed of a run that names none"),
    Option("resume", bool, False, "whether a run goes on from the trials of the same run that was cut off"),
    Option("evolution", bool, True, "whether anything may change itself: runs, accepted versions, proposals"),
    Option(
        "serve_unsandboxed",
        bool,
        False,
        "whether new texts that were judged below sandbox level L2 may serve all the same",
    ),
    Option(
        "guard_regression",
        str,
        f"{limits.GUARD_REGRESSION_MAX:.0%}",
        "the share by which a guarded metric of a candidate may be worse, where a run says none",
        pattern=r"\s*\d+(\.\d+)?\s*%\s*",
        example="20%",
    ),
    Option("modules", str, "", "a folder with library modules of your own, for load(NAME)", example="~/modules"),
    Option("widgets", str, "auto", "show panels with buttons where the front end has them", ("auto", "on", "off")),
    Option(
        "model",
        str,
        "",
        "the language model, as provider:name; providers: openai, anthropic, ollama, local; of several, "
        "separated by commas, the first that answers",
        pattern=r"\s*|[^:\s]+:\S.*",
        example="ollama:qwen3",
    ),
    Option(
        "model_url",
        str,
        "",
        "where the model answers, for a server of your own: http://127.0.0.1:8000/v1",
        pattern=r"\s*|https?://\S+",
        example="http://127.0.0.1:8000/v1",
    ),
    Option("model_tape", str, "", "a file that keeps what models were asked and answered", example="lesson.tape.jsonl"),
    Option(
        "model_tape_mode",
        str,
        "auto",
        "what is on the tape is not asked; replay asks nothing else either, record asks everything anew",
        ("auto", "record", "replay"),
    ),
    Option(
        "model_calls",
        str,
        "native",
        "how a model calls tools: as its provider has it, in its text, or in its text under a grammar (local: only)",
        ("native", "written", "grammar"),
    ),
    Option("agent_hosts", str, "", "the hosts that the agents' tool fetch may ask, with commas", example="example.org"),
)
_BY_NAME = {option.name: option for option in OPTIONS}
FILES = ("project-o.toml", "pyproject.toml")
CHOSEN = "%config ProjectO"
"""The source that is the kernel itself."""


def effective(
    chosen: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> dict[str, Setting]:
    """Every option with its value and where it comes from. Raises UsageError for a value that cannot be meant."""
    sources = chosen or {}, os.environ if environ is None else environ, *_file_table(str(folder or _working_folder()))
    return {option.name: _setting(option, *sources) for option in OPTIONS}


def setting(name: str, chosen: Mapping[str, Any] | None = None) -> Setting:
    """One option, as ``effective`` has it: each cell asks for some. Raises UsageError as that does, for this one."""
    table, file = _file_table(_working_folder())
    return _setting(_BY_NAME[name], chosen or {}, os.environ, table, file)


def _setting(
    option: Option,
    chosen: Mapping[str, Any],
    environ: Mapping[str, str],
    table: Mapping[str, Any],
    file: Path | None,
) -> Setting:
    if option.name in chosen:
        raw, source = chosen[option.name], CHOSEN
    elif option.variable in environ:
        raw, source = environ[option.variable], option.variable
    elif option.name in table:
        raw, source = table[option.name], str(file)
    else:
        raw, source = option.default, "default"
    return Setting(option, converted(option, raw, source), source)


def evolution_forbidden(chosen: Mapping[str, Any] | None = None) -> str:
    """Why nothing may change itself here, and what to do; "" where it may. Raises UsageError as ``setting`` does."""
    found = setting("evolution", chosen)
    if found.value:
        return ""
    return f"evolution is off (set by {found.source}), so nothing may change itself: `%o evolution on` allows it"


def share(text: str) -> float:
    """``20%`` as 0.2: the value of an option whose pattern lets nothing else pass."""
    return float(text.strip().rstrip("%")) / 100


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|m|h)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A duration in seconds: ``60s``, ``2m``, ``500ms``, ``1.5``. Raises UsageError."""
    found = _DURATION.fullmatch(text.strip())
    if not found or float(found[1]) <= 0:
        raise UsageError(f"{text!r} is no duration: write 60s, 2m or 500ms")
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def _working_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - each cell asks
    except OSError:  # the folder was removed under the process
        return "/"


def _file_table(folder: str) -> tuple[Mapping[str, Any], Path | None]:
    for text, name in _places(folder):
        try:
            facts = os.stat(text)  # noqa: PTH116 - a path of a dozen files for each cell
        except OSError:  # not there: as nearly all of them
            continue
        if found := _table_of(Path(text), name, facts):
            return found
    return {}, None


@lru_cache(maxsize=16)
def _places(folder: str) -> tuple[tuple[str, str], ...]:
    places = (Path(folder), *Path(folder).parents)
    return tuple((str(place / name), name) for place in places for name in FILES)


def _table_of(path: Path, name: str, facts: os.stat_result) -> tuple[Mapping[str, Any], Path] | None:
    """The options that a file sets; None where it is none of ours. Raises UsageError."""
    try:
        body = _read(path, facts.st_mtime_ns, facts.st_size)
    except OSError:  # not a file, not ours to read
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML ({error}): mend or remove it") from None
    tool = body.get("tool", {})
    table = body if name == FILES[0] else tool.get("project-o") if isinstance(tool, Mapping) else None
    if table is None:
        return None
    if not isinstance(table, Mapping):
        raise UsageError(f"{path}: tool.project-o is {table!r}, and has to be a table of options")
    unknown = set(table) - _BY_NAME.keys()
    if unknown:
        known = ", ".join(_BY_NAME)
        raise UsageError(f"{path} sets {', '.join(sorted(unknown))}, which is no option: there are {known}")
    return table, path


@lru_cache(maxsize=16)
def _read(path: Path, _modified: int, _size: int) -> dict[str, Any]:
    """Each cell asks for settings, and a large file takes longer to read than a cell to compile."""
    return tomllib.loads(path.read_text("utf-8"))


def converted(option: Option, raw: Any, source: str) -> Any:
    """A raw value as the option's own kind. Raises UsageError that names the option, the source, and what is wanted."""
    value: Any = raw
    if option.kind is bool and isinstance(raw, str):
        value = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False}.get(
            raw.strip().lower(), False if raw.strip().lower() == "no" else raw
        )
    elif option.kind is int and isinstance(raw, str):
        value = int(raw) if raw.strip().lstrip("-").isdecimal() else raw
    undo = f"; {source}.{option.name} = None takes it back" if source == CHOSEN else ""
    wrong_type = not isinstance(value, option.kind) or (option.kind is int and isinstance(value, bool))
    if wrong_type or (option.choices and value not in option.choices):
        wanted = " or ".join(map(str, option.choices)) or option.kind.__name__
        raise UsageError(f"{option.name} is {raw!r} (from {source}): it wants {wanted}{undo}")
    if option.pattern and not re.fullmatch(option.pattern, value):
        raise UsageError(
            f"{option.name} is {raw!r} (from {source}): it wants something like {option.example} ({option.doc}){undo}"
        )
    return value


def cache_directory() -> Path:
    """The folder of everything that can be made again: PROJECT_O_CACHE, else ``project-o`` in the user's cache."""
    chosen = os.environ.get("PROJECT_O_CACHE", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG rule: a relative path is to be ignored.
    if base and Path(base).is_absolute():
        return Path(base) / "project-o"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/project-o").expanduser()
    return Path("~/.cache/project-o").expanduser()
