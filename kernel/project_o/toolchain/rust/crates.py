"""Crates that a cell names with ``--dep``: fetched and compiled by the user's own cargo, once for a set of them.

``cargo/KEY/`` in the cache holds a package that has them as its dependencies, with the lock file that pins them, and
what cargo said about where the compiled crates are. All such packages share one ``cargo/target``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import ToolchainError, ToolchainMissing, UsageError
from .. import cache
from ..compiler import Finished, Job, run
from ..naming import git_tree
from .places import Rust

PREFIX = "dep:"
_PACKAGE = "project-o-cell"
_READY = "crates.json"
_COPIES = "crates"
_LINES_SHOWN = 20
_KINDS = {"lib", "rlib", "dylib", "proc-macro"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_OFFLINE = re.compile(r"offline", re.IGNORECASE)
_UNKNOWN = re.compile(r"no matching package|candidate versions found|failed to select a version", re.IGNORECASE)
_TROUBLE = re.compile(
    r"could not resolve|couldn't resolve|could not connect|failed to connect|network|timed out|timeout|unreachable|"
    r"failed to download|failed to fetch|failed to get|failed to query|failed to load source",
    re.IGNORECASE,
)
_CONNECT = (
    "Connect to the network once, after which it stays in cargo's cache, or name one that is here: "
    "--dep 'NAME = { path = \"...\" }'"
)
_CHECK = "Look at its name and its versions where you know the crate from"


def wanted(options: Sequence[str]) -> tuple[str, ...]:
    """The crates that a program names, each as a line of TOML. Raises UsageError for what is none."""
    found: dict[str, str] = {}
    for option in options:
        if option.startswith(PREFIX):
            line = option.removeprefix(PREFIX).strip()
            found[_read(line)[0]] = line
    return tuple(sorted(found.values()))


def _read(line: str) -> tuple[str, Any]:
    """The name and the requirement of one line."""
    example = "write it as in a Cargo.toml: --dep 'rand = \"0.9\"'"
    try:
        table = tomllib.loads(line)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--dep {line!r} cannot be read ({error}): {example}") from None
    if len(table) != 1 or "\n" in line:
        raise UsageError(f"--dep {line!r} names {len(table)} crates: {example}, one for each --dep")
    ((name, what),) = table.items()
    if not _NAME.fullmatch(name) or not isinstance(what, (str, dict)):
        raise UsageError(f"--dep {line!r} is no crate and its version: {example}")
    return name, what


def identity(lines: Sequence[str]) -> list[str]:
    """What a set of crates is to the key of a build: its lines, and the content of those that are folders here."""
    return [*lines, *(f"{path}: {git_tree(path)}" for path in _own_folders(lines))]


def _own_folders(lines: Sequence[str]) -> list[Path]:
    found = []
    for line in lines:
        name, what = _read(line)
        if isinstance(what, dict) and "path" in what:
            path = Path(str(what["path"])).expanduser().absolute()
            if not (path / "Cargo.toml").is_file():
                raise UsageError(f"--dep {name}: there is no Cargo.toml in {path}")
            found.append(path)
    return found


@dataclass(frozen=True, slots=True)
class Crates:
    """The crates of a set, compiled: how the compiler finds them, and all files that it then reads."""

    flags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def copied(self, folder: Path) -> Crates:
        """The same within a build folder, for a compiler that sees nothing else."""
        if not self.files:
            return self
        (folder / _COPIES).mkdir(exist_ok=True)
        for path in self.files:
            shutil.copyfile(path, folder / _COPIES / Path(path).name)
        placed = [f"-Ldependency={_COPIES}"]
        for flag in self.flags:
            name, _, path = flag.partition("=")
            if flag == "--extern":
                placed.append(flag)
            elif not flag.startswith("-"):
                placed.append(f"{name}={_COPIES}/{Path(path).name}")
        return Crates(tuple(placed), tuple(f"{_COPIES}/{Path(path).name}" for path in self.files))


def compiled(rust: Rust, lines: Sequence[str], *, online: bool) -> Crates:
    """The crates that these lines name: compiled now if need be, from cargo's own cache first, then by the network.

    ``online`` is False where the text is not the user's. Raises ToolchainMissing without cargo, ToolchainError where a
    crate cannot be had or does not compile.
    """
    if not lines:
        return Crates()
    base = cache.compiler_cache("cargo")
    body = [rust.version, identity(lines)]
    folder = base / hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32]
    ready = _ready(folder)
    if ready is None:
        ready = _found(_build(rust, lines, base, folder, online=online), folder, lines)
        fresh = folder / f"{_READY}.{os.getpid()}"
        fresh.write_text(json.dumps([ready.flags, ready.files]), "utf-8")
        fresh.replace(folder / _READY)
    return ready


def _ready(folder: Path) -> Crates | None:
    try:
        flags, files = json.loads((folder / _READY).read_bytes())
    except (OSError, ValueError):
        return None
    return Crates(tuple(flags), tuple(files)) if all(map(os.path.exists, files)) else None


def _build(rust: Rust, lines: Sequence[str], base: Path, folder: Path, *, online: bool) -> str:
    """What cargo said, where it had all of them."""
    cargo = _locate(rust)
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "lib.rs").write_text("", "utf-8")
    # A path is relative to where the cell is, not to this folder.
    texts = [_absolute(line) for line in lines]
    manifest = [
        "[package]", f'name = "{_PACKAGE}"', 'version = "0.0.0"', 'edition = "2024"', "[workspace]", "[dependencies]",
        *texts,
    ]  # fmt: skip
    (folder / "Cargo.toml").write_text("\n".join(manifest) + "\n", "utf-8")
    # Cargo says on its standard output where things are; only the other one is read.
    words = f'exec "{cargo}" build --release --lib --message-format=json-render-diagnostics "$@" 1>&2'
    surroundings = {
        "RUSTC": rust.path,
        "CARGO_TARGET_DIR": str(base / "target"),
        "CARGO_TERM_COLOR": "never",
        "CARGO_NET_RETRY": os.environ.get("CARGO_NET_RETRY", "1"),
        "CARGO_HTTP_TIMEOUT": os.environ.get("CARGO_HTTP_TIMEOUT", "20"),
    }
    for offline in (True, False) if online else (True,):
        command = ("/bin/sh", "-c", words, "cargo", *(("--offline",) if offline else ()))
        finished = run(Job(command, folder, surroundings, limits.CRATES_WALL_SECONDS))
        if finished.code == 0:
            return finished.errors
        if not _OFFLINE.search(finished.errors):
            break  # it is not the network that is missing
    raise _failure(finished, lines)


def _locate(rust: Rust) -> str:
    beside = Path(rust.sysroot) / "bin" / "cargo"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("cargo")
    if not found:
        raise ToolchainMissing(
            "--dep needs cargo, which is not beside rustc and not on the PATH: install Rust by rustup, which brings "
            "it, or leave --dep out"
        )
    return found


def _absolute(line: str) -> str:
    name, what = _read(line)
    if not isinstance(what, dict) or "path" not in what:
        return line
    path = str(Path(str(what["path"])).expanduser().absolute())
    return f"{name} = {{ {', '.join(f'{key} = {_toml(value)}' for key, value in {**what, 'path': path}.items())} }}"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)  # texts, numbers and truth values are written as in JSON


def _failure(finished: Finished, lines: Sequence[str]) -> ToolchainError:
    told = [line for line in finished.errors.splitlines() if not line.startswith("{")]
    first = next((line for line in told if line.startswith("error")), told[0] if told else "it does not say why")
    why = first.removeprefix("error: ").rstrip(":")
    offline = any("--offline" in line or "offline mode" in line for line in told)
    for pattern, remedy in ((_UNKNOWN, _CONNECT if offline else _CHECK), (_TROUBLE, _CONNECT)):
        if pattern.search("\n".join(told)):
            causes = [line.strip() for line in told if line.startswith("  ") and pattern.search(line)]
            most = f" ({causes[-1]})" if causes and causes[-1] not in why else ""
            return ToolchainError(f"--dep {'; '.join(lines)}: cargo cannot get it: {why}{most}. {remedy}")
    return ToolchainError(f"--dep {'; '.join(lines)}: cargo says {why}\n" + "\n".join(told[-_LINES_SHOWN:]))


# ------------------------------------------------------------------------------- what cargo said


def _found(said: str, folder: Path, lines: Sequence[str]) -> Crates:
    """``--extern NAME=PATH`` for each crate that was named, and where the linker finds what they bring."""
    direct = _direct(tomllib.loads((folder / "Cargo.lock").read_text("utf-8")))
    artifacts: dict[tuple[str, str], tuple[str, str]] = {}
    flags: list[str] = []
    for message in _messages(said):
        target: Mapping[str, Any] = message.get("target") or {}
        if message.get("reason") == "build-script-executed":
            flags += [f"-L{path}" for path in message.get("linked_paths", ())]
        elif message.get("reason") == "compiler-artifact" and _KINDS & set(target.get("kind", ())):
            package = _package(message["package_id"])
            paths = [path for path in message["filenames"] if path.endswith((".rlib", ".so"))]
            if paths and package[0] != _PACKAGE:
                artifacts[package] = (target["name"].replace("-", "_"), paths[0])
    for line in lines:
        name, what = _read(line)
        package_name = what.get("package", name) if isinstance(what, dict) else name
        crate, path = artifacts[(package_name, direct[package_name])]
        renamed = name.replace("-", "_") if package_name != name else crate
        flags += ["--extern", f"{renamed}={path}"]
    files = tuple(sorted(path for _, path in artifacts.values()))
    folders = dict.fromkeys(str(Path(path).parent) for path in files)
    return Crates((*(f"-Ldependency={place}" for place in folders), *flags), files)


def _messages(said: str) -> list[dict[str, Any]]:
    found = []
    for line in said.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # a line that was cut at the limit
    return found


def _direct(lock: Mapping[str, Any]) -> dict[str, str]:
    """The versions of the crates that were named themselves."""
    packages = lock.get("package", [])
    versions: dict[str, list[str]] = {}
    for item in packages:
        versions.setdefault(item["name"], []).append(item["version"])
    named: list[str] = next((item.get("dependencies", []) for item in packages if item["name"] == _PACKAGE), [])
    found = {}
    for text in named:
        name, _, rest = text.partition(" ")
        found[name] = rest.split(" ")[0] if rest else versions[name][0]
    return found


def _package(identity_: str) -> tuple[str, str]:
    """Name and version out of ``registry+...#rand@0.9.0`` or ``path+file:///.../mine#0.1.0``."""
    place, _, last = identity_.rpartition("#")
    name, _, version = last.rpartition("@")
    return name or place.rstrip("/").rpartition("/")[2], version
