"""What a ``module.json`` says, checked word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ... import limits
from ...errors import UsageError

FILE = "module.json"
LANGUAGES: tuple[Literal["zig", "rust"], ...] = ("zig", "rust")
SUFFIXES = {"zig": ".zig", "rust": ".rs"}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")
_LEAST = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,2}")
_EXPORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A library module.

    ``language_version`` is that of the compiler it was written for; ``dependencies`` are other modules of the same
    language with the lowest version that will do.
    """

    name: str
    version: str
    description: str
    language: Literal["zig", "rust"]
    language_version: str
    dependencies: tuple[tuple[str, str], ...]
    system_libs: tuple[str, ...]
    exports: tuple[str, ...]
    hot_reload: bool
    folder: Path

    @property
    def source(self) -> Path:
        """The file that the module begins with."""
        return self.folder / f"{self.name}{SUFFIXES[self.language]}"

    @property
    def place(self) -> str:
        """Language and name, which tell any two modules apart: ``zig/counter``."""
        return f"{self.language}/{self.name}"


def numbers(version: str) -> tuple[int, ...]:
    """``1.2.3`` as numbers, which compare as versions do."""
    return tuple(int(part) for part in version.split("."))


def read(folder: Path) -> Manifest:
    """The manifest in a folder. Raises UsageError, naming the file and what is wrong in it."""
    path = folder / FILE
    try:
        raw = path.read_bytes()
        body = json.loads(raw[: limits.SOURCE_BYTES_MAX])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON ({error}): mend it") from None
    if not isinstance(body, dict):
        raise UsageError(f"{path} has to be an object of fields, such as name and version")
    return _manifest(body, path)


def _manifest(body: Mapping[str, Any], path: Path) -> Manifest:
    spoken = [language for language in LANGUAGES if language in body]
    if len(spoken) != 1:
        raise UsageError(f'{path}: name the language and its version in one field, "zig": "0.17.1" or "rust": "1.85"')
    fields = _fields(spoken[0])
    unknown = sorted(set(body) - set(fields))
    missing = [name for name, (_, _, needed) in fields.items() if needed and name not in body]
    if unknown or missing:
        said = [f"has no {', '.join(missing)}"] if missing else []
        said += [f"has {', '.join(unknown)}, which is no field"] if unknown else []
        raise UsageError(f"{path} {' and '.join(said)}: the fields are {', '.join(fields)}")
    for name, (good, wanted, _) in fields.items():
        if name in body and not good(body[name]):
            raise UsageError(f"{path}: {name} is {body[name]!r:.100}: it wants {wanted}")
    return Manifest(
        name=body["name"],
        version=body["version"],
        description=body["description"],
        language=spoken[0],
        language_version=body[spoken[0]],
        dependencies=tuple(body.get("dependencies", {}).items()),
        system_libs=tuple(body.get("system_libs", ())),
        exports=tuple(body["exports"]),
        hot_reload=body.get("hot_reload", False),
        folder=path.parent,
    )


_Field = tuple[Callable[[Any], bool], str, bool]


def _fields(language: str) -> dict[str, _Field]:
    """Field -> (whether a value is good, what it wants, whether it is needed)."""
    return {
        "name": (_matches(_NAME), "a name of small letters, digits and _", True),
        "version": (_matches(_VERSION), 'a version such as "1.2.3"', True),
        "description": (lambda value: isinstance(value, str) and bool(value.strip()), "a sentence", True),
        language: (_matches(_LEAST), f'the version of {language} that it was written for, such as "1.85"', True),
        "exports": (_list_of(_EXPORT, least=1), "the names of the functions that others may call", True),
        "dependencies": (_dependencies, 'modules and the lowest version that will do, {"name": "1.0"}', False),
        "system_libs": (_list_of(re.compile(r"[^\s\0-][^\s\0]*")), 'libraries without prefix and suffix, ["m"]', False),
        "hot_reload": (lambda value: isinstance(value, bool), "true or false", False),
    }


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _list_of(pattern: re.Pattern[str], least: int = 0) -> Callable[[Any], bool]:
    def good(value: Any) -> bool:
        if not isinstance(value, list) or len(value) < least or not all(map(_matches(pattern), value)):
            return False
        return len(set(value)) == len(value)

    return good


def _dependencies(value: Any) -> bool:
    return isinstance(value, dict) and all(_matches(_NAME)(k) and _matches(_LEAST)(v) for k, v in value.items())
