"""A module -> an artifact: its sources as a program, through the recipe of its language, kept in the same cache."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ... import abi, limits
from ...errors import CompileError, ToolchainError, UsageError
from ...values import Artifact, Interface, Mode, Program
from .. import elf
from ..build import Names, named, published
from ..naming import git_tree
from ..places import ZIG_VERSION
from ..recipe import Recipe
from ..recipe import recipe as zig_recipe
from ..rust.recipe import recipe as rust_recipe
from ..sources import IMPORTS_FOLDER, LINK_PREFIX, Module, module_text
from .find import find
from .manifest import SUFFIXES, Manifest, numbers

_HELPERS = ("_fuzz", "_benchmark", "_test")
"""What the names of files end in that stand beside a module and are no part of it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A module that is compiled. ``uses`` says how each function takes the state, where it does; ``layout`` is that of
    the state, "" where there is none."""

    manifest: Manifest
    git_hash: str
    artifact: Artifact
    uses: Mapping[str, Literal["looks", "changes"]]
    layout: str

    @property
    def prefix(self) -> str:
        """What stands before a function's name in its symbol."""
        return f"o_{self.manifest.name}_"


def program_of(found: Manifest, mode: Mode = "safe", folders: Sequence[Path] = ()) -> Program:
    """The sources of a module as a program, with those of the modules that it depends on, found as ``find`` does.

    Raises UsageError for a language version that this is not, and for a dependency or a file that cannot be had.
    """
    _check_language(found)
    needed: dict[str, Manifest] = {}
    _gather(found, (found.name,), folders, needed)
    texts = _texts(found)
    for name, other in needed.items():
        texts += [(f"{IMPORTS_FOLDER}/{name}/{path}", text) for path, text in _texts(other)]
    libs = dict.fromkeys(lib for item in (found, *needed.values()) for lib in item.system_libs)
    options = tuple(LINK_PREFIX + name for name in libs)
    return Program(found.name, found.language, tuple(texts), mode=mode, options=options)


def _gather(found: Manifest, chain: tuple[str, ...], folders: Sequence[Path], needed: dict[str, Manifest]) -> None:
    """The modules that one depends on, directly or through others, each behind those that it needs itself."""
    for name, least in found.dependencies:
        if name in chain:
            raise UsageError(f"the modules {', '.join((*chain, name))} depend on one another in a circle: break it")
        other = find(f"{found.language}/{name}", (found.folder.parent, *folders))
        if numbers(other.version)[0] != numbers(least)[0] or numbers(other.version) < numbers(least):
            raise UsageError(
                f"the module {found.name} depends on {name} {least}, and in {other.folder} is {other.version}, which "
                "is not of the same first number and at least that"
            )
        if name not in needed:
            _gather(other, (*chain, name), folders, needed)
            needed[name] = other


def _texts(found: Manifest) -> list[tuple[str, str]]:
    """The sources of a module by their path in its folder, the one that it begins with first."""
    suffix = SUFFIXES[found.language]
    others = [
        path
        for path in sorted(found.folder.rglob(f"*{suffix}"))
        if path != found.source
        and not path.stem.endswith(_HELPERS)
        and not _hidden(path.relative_to(found.folder).parts)
    ]
    if len(others) > limits.MODULE_FILES_MAX:
        raise UsageError(f"{found.folder} has {len(others)} sources: at most {limits.MODULE_FILES_MAX} are read")
    try:
        return [
            (path.relative_to(found.folder).as_posix(), path.read_text("utf-8")) for path in (found.source, *others)
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the module {found.name} cannot be read: {error}") from None


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "target" for part in parts)


def _check_language(found: Manifest) -> None:
    if found.language == "zig" and numbers(found.language_version)[:2] != numbers(ZIG_VERSION)[:2]:
        raise UsageError(
            f"the module {found.name} was written for Zig {found.language_version}, and this is Zig {ZIG_VERSION}: "
            f"bring {found.source.name} up to date, and then its module.json"
        )
    if found.language == "rust":
        from ..rust.places import known

        release = known().release.split("-")[0]
        if numbers(release) < numbers(found.language_version):
            raise UsageError(
                f"the module {found.name} needs Rust {found.language_version}, and this is Rust {release}: "
                "update it with `rustup update`"
            )


def build_module(found: Manifest, program: Program, names: Names) -> Built:
    """Compile, or find in the cache. ``names`` are those of the functions' parameters, as for a cell.

    Raises CompileError, ToolchainMissing, UsageError where it has not what its module.json says.
    """
    about = Module(found.name, found.version, git_tree(found.folder), found.hot_reload)
    wanted: Any
    if found.language == "rust":
        wanted = replace(rust_recipe(program), module=about)
    else:
        wanted = _about_zig(zig_recipe(program), about)
    try:
        entry, cached = published(wanted, names)
    except CompileError as error:
        # The diagnostics speak of lines; in a notebook there may be several sources.
        raise CompileError(f"{found.source}: {error}", error.diagnostics, found.language) from None
    interface, uses = _interface(found, entry.facts["interface"], names)
    artifact = Artifact(
        program=program,
        key=entry.key,
        path=str(entry.library),
        interface=interface,
        toolchain=entry.facts["toolchain"],
        flags=wanted.shown_flags,
        size_bytes=entry.facts["bytes"],
        seconds=0.0 if cached else entry.facts["seconds"],
        cached=cached,
    )
    return Built(found, about.git_hash, artifact, uses, _layout(artifact) if uses else "")


def _about_zig(wanted: Recipe, about: Module) -> Recipe:
    return replace(wanted, files=(*wanted.files, module_text(about)))


def _interface(
    found: Manifest, body: dict[str, Any], names: Names
) -> tuple[Interface, dict[str, Literal["looks", "changes"]]]:
    """What the module exports. The state is no parameter for those who call."""
    uses: dict[str, Literal["looks", "changes"]] = {}
    functions, callers = [], dict(names)
    for item in body["functions"]:
        name, parameters = item["name"], item["parameters"]
        if parameters and parameters[0]["kind"] == "context":
            uses[name] = "looks" if parameters[0].get("const") else "changes"
            parameters = parameters[1:]
            if name in callers:
                called, doc, line = callers[name]
                callers[name] = (called[1:], doc, line)
        functions.append({**item, "parameters": parameters})
    whole = named(abi.interface_from_json({**body, "functions": functions}), callers, 0)
    there = {item.name: item for item in whole.functions}
    missing = [name for name in found.exports if name not in there]
    if missing:
        reasons = dict(whole.skipped)
        said = "; ".join(f"{name} ({reasons[name]})" if name in reasons else name for name in missing)
        known = ", ".join(there)
        raise UsageError(f"{found.folder / 'module.json'} exports {said}, and the functions there are {known}")
    return Interface(tuple(there[name] for name in found.exports), whole.skipped), uses


def _layout(artifact: Artifact) -> str:
    with open(artifact.path, "rb") as file:
        library = elf.Library(file.read())
    try:
        text = library.content("o_state_layout").rstrip(b"\0").decode("utf-8", "replace")
        json.loads(text)
    except (KeyError, ValueError):
        raise ToolchainError(
            "the build does not describe its state: clear the cache with `project-o cache --clear`"
        ) from None
    return text
