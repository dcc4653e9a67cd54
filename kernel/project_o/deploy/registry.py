"""Which version serves a name, what served it before, and how that outlives the kernel."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..abi import spell
from ..errors import DeployError, ToolchainError
from ..toolchain import elf
from ..values import Deployment, Parameter, Program
from .handles import Slot, Version, is_provisional

Origin = Literal["cell", "accepted", "canary", "rollback", "restored"]
OpenVersion = Callable[["Release", Program | None], Version]
"""Build (from the cache where it can) and load a release, given the program of its cell where that was run."""
Refusal = Callable[["Release", Program | None], str]
"""Why a release may not serve here, given the program of its cell where that was run; "" where it may."""


@dataclass(frozen=True, slots=True)
class Release:
    """A program that served a name. ``state`` is the commit that put it there, "" where history is off.

    ``level`` is the sandbox level at which it was judged, "" for the text of a cell. ``version`` is the semantic
    version of what was promoted; ``interface`` spells its functions, ``library`` is its build's digest.
    """

    program: Program
    origin: Origin
    since: float
    state: str = ""
    cell: str = ""
    level: str = ""
    version: str = ""
    interface: tuple[str, ...] = ()
    library: str = ""


class Registry:
    """Names and their releases. All methods may be called from any thread; a swap is one assignment."""

    def __init__(
        self,
        open_version: OpenVersion,
        clock: Callable[[], float] = time.time,
        refusal: Refusal = lambda _release, _cell: "",
    ) -> None:
        self._open = open_version
        self._clock = clock
        self._refusal = refusal
        self._cells: dict[str, Program] = {}
        self._lock = threading.RLock()
        self.telling = threading.RLock()
        """For whoever writes the ledger down, from asking for it on: of two, the older must not be written last."""
        self._slots: dict[str, Slot] = {}
        self._releases: dict[str, list[Release]] = {}
        self._remembered: dict[str, list[Release]] = {}
        self.displaced: Callable[[str], None] = lambda _name: None
        """Told, under the lock, of each name that is about to be served by something else."""
        self.improved: Callable[[str], None] = lambda _name: None
        """Told, in any thread, of each name whose text is served by a better build of it from now on."""
        self.beside: Callable[[Release], bool] = lambda _release: False
        """Whether another version is at work beside exactly this one: then running its cell again changes nothing."""

    # ------------------------------------------------------------------ serving

    def serve_cell(self, program: Program, *, fresh: bool = False) -> tuple[Slot, Release]:
        """Serve the program of a cell that was run.

        Where a program that evolved from exactly this cell was accepted and not taken back, that one goes on
        serving, also in a new kernel, unless ``fresh`` asks for the cell's own text, or it may not serve here: then
        the slot's note says why. Raises whatever building or loading it raises, and then changes nothing.
        """
        with self._lock:
            kept = None if fresh else self._accepted_for(program)
            refused = self._refusal(kept, program) if kept is not None else ""
            if refused:
                kept = None
            if kept is not None and kept.program.language == program.language:
                # The data that came along is what the variables hold now.
                kept = replace(kept, program=kept.program.with_data_of(program))
            if kept is not None and program.name in self._slots and self.beside(kept):
                self._cells[program.name] = program
                return self._slots[program.name], kept
            release = kept or Release(program, "cell", self._clock(), cell=program.cell_digest)
            version = self._open(release, program)
            past = self._remembered.pop(program.name, None)
            if past and program.name not in self._releases:
                self._releases[program.name] = past
            if kept is not None and self._releases.get(program.name):
                self._releases[program.name][-1] = release = described(kept, version)
            self._cells[program.name] = program
            slot = self._put(program.name, version, release)
            if refused:
                slot.note = f"the text of the cell serves: {refused}"
            return slot, release

    def knows_cell(self, program: Program) -> bool:
        """Whether what serves its name, or served it in the last kernel, was made for exactly this cell."""
        with self._lock:
            return self._accepted_for(program) is not None

    def _accepted_for(self, program: Program) -> Release | None:
        """What serves, or served in the last kernel, for exactly this cell: an unchanged cell changes nothing."""
        releases = self._releases.get(program.name) or self._remembered.get(program.name)
        return releases[-1] if releases and releases[-1].cell == program.cell_digest else None

    def accept(self, program: Program, state: str = "", parent: str = "", level: str = "") -> Deployment:
        """Serve an accepted program under its name. ``parent`` is the digest of what it was measured against,
        ``level`` the sandbox level at which it was judged.

        Raises DeployError where nothing served the name before, something else than ``parent`` serves now, or the
        program may not serve here.
        """
        with self._lock:
            self.slot(program.name)
            now = self._releases[program.name][-1]
            if now.program.digest == program.digest:
                return self.current(program.name)
            if parent and now.program.digest != parent:
                raise DeployError(f"{program.name} has changed since this run began: evolve what serves now")
            release = Release(program, "accepted", self._clock(), state, now.cell, level)
            self._put(program.name, self.opened(release), release)
            return self.current(program.name)

    def opened(self, release: Release) -> Version:
        """The version of a release that is not just a cell's. Raises DeployError where it may not serve."""
        cell = self._cells.get(release.program.name)
        if why := self._refusal(release, cell):
            raise DeployError(why)
        return self._open(release, cell)

    def rollback(self, name: str, digest: str = "") -> Deployment:
        """Put the release before this one back, or the newest one whose program's digest begins with ``digest``.

        Raises DeployError where there is none.
        """
        with self._lock:
            name = self.slot(name).name
            releases = self._releases[name]
            serving = releases[-1].program.digest
            for release in reversed(releases[:-1]):
                if release.program.digest != serving and release.program.digest.startswith(digest):
                    self._put(name, self.opened(release), replace(release, origin="rollback", since=self._clock()))
                    return self.current(name)
        wanted = f"the version {digest[:10]}" if digest else "an earlier version"
        raise DeployError(f"{name} cannot go back to {wanted}: `%o serving {name}` lists what has served it")

    def take_back(self, name: str, release: Release | None = None) -> Deployment:
        """Choose what is to serve a name when its cell is run next: the release before, or the one that is given.

        For a process in which nothing is called: nothing is built. Raises DeployError.
        """
        with self._lock:
            releases = self._remembered.get(name, [])
            if not releases:
                known = ", ".join(sorted(self._remembered)) or "nothing"
                raise DeployError(f"nothing served {name!r} in this folder: what did is {known}")
            serving = releases[-1].program.digest
            earlier = [item for item in releases[:-1] if item.program.digest != serving]
            if release is None and not earlier:
                raise DeployError(f"{name} cannot go back to an earlier version: nothing else has served it")
            chosen = release or earlier[-1]
            releases.append(replace(chosen, origin="rollback", since=self._clock(), cell=releases[-1].cell))
            return next(item for item in self.waiting() if item.name == name)

    def mark(self, name: str, state: str, version: str = "") -> None:
        """Note the commit that holds what serves ``name`` now, and its version where it was given one."""
        with self._lock:
            now = self._releases[name][-1]
            self._releases[name][-1] = replace(now, state=state or now.state, version=version or now.version)

    def put(self, release: Release, origin: Origin, state: str = "") -> Deployment:
        """Serve what served before under its name, whether or not something serves it now (restore does).

        Raises DeployError where it may not serve.
        """
        with self._lock:
            program = release.program
            release = replace(release, origin=origin, since=self._clock(), state=state)
            self._put(program.name, self.opened(release), release)
            return self.current(program.name)

    def _put(self, name: str, version: Version, release: Release) -> Slot:
        self.displaced(name)
        release = described(release, version)
        releases = self._releases.setdefault(name, [])
        if not releases or releases[-1] != release:
            releases.append(release)
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = Slot(name, version)
        slot.version = version
        evolved = release.program.cell_digest != release.cell
        slot.note = (
            f"an evolved version serves, not the text of the cell; %o rollback {name} goes back" if evolved else ""
        )
        if is_provisional(version):
            version.then(partial(self._improve, slot, version))
        return slot

    def _improve(self, slot: Slot, before: object, better: Version) -> bool:
        with self._lock:
            if slot.version is not before:
                return False
            slot.version = better
            releases = self._releases[slot.name]
            releases[-1] = described(releases[-1], better)
        self.improved(slot.name)
        return True

    # ------------------------------------------------------------------ questions

    def slot(self, name: str) -> Slot:
        """The slot of a name, or of the program that has a function of that name. Raises DeployError."""
        with self._lock:
            if name in self._slots:
                return self._slots[name]
            for slot in self._slots.values():
                if name in [function.name for function in slot.version.artifact.interface.functions]:
                    return slot
            known = ", ".join(sorted(self._slots)) or "nothing yet: run a native cell first"
        raise DeployError(f"nothing serves {name!r}: what serves is {known}")

    def slots(self) -> tuple[Slot, ...]:
        """Every slot, by name."""
        with self._lock:
            return tuple(self._slots[name] for name in sorted(self._slots))

    def current(self, name: str) -> Deployment:
        """What serves a name now. Raises DeployError."""
        with self._lock:
            slot = self.slot(name)
            releases = self._releases[slot.name]
            release, interface = releases[-1], slot.version.artifact.interface
            return Deployment(
                name=slot.name,
                digest=release.program.digest,
                language=release.program.language,
                functions=tuple(function.name for function in interface.functions),
                share=1.0,
                since=release.since,
                state=release.state,
                origin=release.origin,
                previous=tuple(item.program.digest for item in releases[:-1]),
                level=release.level,
                version=release.version,
                build=getattr(slot.version, "tier", ""),
            )

    def serving(self) -> tuple[Deployment, ...]:
        """What serves each name, by name."""
        with self._lock:
            return tuple(self.current(name) for name in sorted(self._slots))

    def waiting(self) -> tuple[Deployment, ...]:
        """What served each name in an earlier kernel, and will when its cell is run again."""
        with self._lock:
            return tuple(
                Deployment(
                    name=name,
                    digest=items[-1].program.digest,
                    language=items[-1].program.language,
                    functions=("(when its cell is run)",),
                    share=1.0,
                    since=items[-1].since,
                    state=items[-1].state,
                    origin=items[-1].origin,
                    previous=tuple(item.program.digest for item in items[:-1]),
                    level=items[-1].level,
                    version=items[-1].version,
                )
                for name, items in sorted(self._remembered.items())
            )

    def cell(self, name: str) -> Program | None:
        """The user's own text of a name: that of its cell, or what serves where that is a cell's own. None where
        neither is known in this kernel."""
        with self._lock:
            if name in self._cells or name not in self._releases:
                return self._cells.get(name)
            now = self._releases[name][-1]
            return now.program if now.program.cell_digest == now.cell else None

    def releases(self, name: str) -> tuple[Release, ...]:
        """What has served a name, oldest first. Raises DeployError."""
        with self._lock:
            return tuple(self._releases[self.slot(name).name])

    def program(self, name: str) -> Program | None:
        """The program that serves exactly this name now; None where none does."""
        with self._lock:
            return self._releases[name][-1].program if name in self._slots else None

    # ------------------------------------------------------------------ the ledger

    def ledger(self) -> dict[str, str]:
        """The files that let another kernel serve the same: one JSON document, and each program's source."""
        with self._lock:
            body = {
                name: [release_to_json(release) for release in releases[-RELEASES_KEPT:]]
                for name, releases in {**self._remembered, **self._releases}.items()
            }
            files = {LEDGER: json.dumps({"format": LEDGER_FORMAT, "names": body}, indent=1, sort_keys=True)}
            for name, releases in self._releases.items():
                path, source = releases[-1].program.files[0]
                files[f"programs/{name}/{path}"] = source
            return files

    def remember(self, text: str) -> None:
        """Take in a ledger of an earlier kernel: used when the cell of a name is run again. Raises DeployError."""
        try:
            body = json.loads(text)
            if body["format"] > LEDGER_FORMAT:
                raise DeployError(f"deployments.json has format {body['format']}: update project-o to read it")
            remembered = {name: _true_releases(name, items) for name, items in body["names"].items()}
        except (ValueError, KeyError, TypeError) as error:
            raise DeployError(f"deployments.json cannot be read ({error!r}): cells serve their own source") from None
        with self._lock:
            self._remembered = {name: items for name, items in remembered.items() if items}

    def remembered(self) -> dict[str, Release]:
        """What served each name in an earlier kernel and has not been run in this one."""
        with self._lock:
            return {name: items[-1] for name, items in self._remembered.items()}


LEDGER = "deployments.json"
LEDGER_FORMAT = 1
RELEASES_KEPT = 20


def release_to_json(release: Release) -> dict[str, Any]:
    """As the ledger has it."""
    program = release.program
    return {
        "language": program.language,
        "files": [list(item) for item in program.files],
        "mode": program.mode,
        "options": list(program.options),
        "parameters": [[p.name, p.value, list(p.domain), p.line, p.file] for p in program.parameters],
        "origin": release.origin,
        "since": release.since,
        "state": release.state,
        "cell": release.cell,
        "level": release.level,
        "version": release.version,
        "interface": list(release.interface),
        "library": release.library,
        "digest": program.digest,
    }


def _true_releases(name: str, items: list[dict[str, Any]]) -> list[Release]:
    """A text that was redacted on its way to the disk is another program, and is not served."""
    pairs = [(release_from_json(name, item), item["digest"]) for item in items]
    return [release for release, digest in pairs if release.program.digest == digest]


def release_from_json(name: str, body: dict[str, Any]) -> Release:
    """The inverse. Raises KeyError, TypeError."""
    program = Program(
        name=name,
        language=body["language"],
        files=tuple((path, text) for path, text in body["files"]),
        parameters=tuple(Parameter(n, v, tuple(d), line, file) for n, v, d, line, file in body["parameters"]),
        mode=body["mode"],
        options=tuple(body["options"]),
    )
    # What was added later is missing in older ledgers.
    level, version, library = (str(body.get(key, "")) for key in ("level", "version", "library"))
    interface = tuple(body.get("interface", ()))
    return Release(
        program, body["origin"], body["since"], body["state"], body["cell"], level, version, interface, library
    )


def described(release: Release, version: Version) -> Release:
    """A release with what its build says of itself."""
    artifact = version.artifact
    spelled = []
    for function in artifact.interface.functions:
        parameters = ", ".join(f"{name}: {spell(kind)}" for name, kind in function.parameters)
        spelled.append(f"{function.name}({parameters}) -> {spell(function.result)}")
    path = "" if is_provisional(version) else getattr(artifact, "path", "")  # the better build will say
    return replace(release, interface=tuple(spelled), library=_digest_of(path))


def _digest_of(path: str) -> str:
    try:
        return elf.digest_of(path, Path(path).stat().st_mtime_ns) if path else ""
    except (OSError, ToolchainError):
        return ""  # it serves from memory; the cache has let go of the file
