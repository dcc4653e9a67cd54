"""Which library modules are loaded, and how another build of one takes its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import languages
from ..errors import DeployError, UsageError
from ..toolchain import modules as native
from ..toolchain.modules.fits import interface_misfit, state_misfit
from ..values import Mode
from .handles import NativeModule, Slot

DIGITS = 10
"""Of a hash, where a person reads it."""


class LoadedModule(NativeModule):
    """A library module, its functions as attributes. It stays the same object while ``%o reload`` swaps the build."""

    def __init__(self, slot: Slot, module: native.Module) -> None:
        super().__init__(slot)
        self._manifest = module.built.manifest

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # what its module.json says it is
        return self._build.built.manifest.description

    @property
    def __version__(self) -> str:
        """As the library itself says it."""
        return self._build.version

    @property
    def __git_hash__(self) -> str:
        """The tree of its folder as git names it, as the library itself says it."""
        return self._build.git_hash

    @property
    def __file__(self) -> str:
        """The source that it begins with."""
        return str(self._build.built.manifest.source)

    @property
    def _build(self) -> native.Module:
        build: native.Module = self._slot.version  # type: ignore[assignment]  # the table puts nothing else there
        return build

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return super().__getattr__(name)


class Modules:
    """The loaded modules by their language and name. All methods may be called from any thread.

    ``folders`` are those of the user's, in which modules are looked for before ours.
    """

    def __init__(self, folders: Callable[[], Sequence[Path]] = tuple) -> None:
        self.folders = folders
        self._lock = threading.RLock()
        self._loaded: dict[str, tuple[LoadedModule, Mode, tuple[Path, ...]]] = {}

    def load(self, name: str, folder: str | Path | None = None, mode: Mode = "safe") -> LoadedModule:
        """The module of that name: the one that is loaded, else built (once) and loaded now.

        Raises UsageError, CompileError, ToolchainMissing, DeployError.
        """
        folders = self._folders(folder)
        with self._lock:
            found = native.find(name, folders)
            if found.place in self._loaded:
                return self._same(found, self._loaded[found.place][0])
            module = native.Module(_built(found, mode, folders))
            slot = Slot(found.name, module)
            slot.note = _note(module)
            self._loaded[found.place] = LoadedModule(slot, module), mode, folders
            return self._loaded[found.place][0]

    def _folders(self, folder: str | Path | None) -> tuple[Path, ...]:
        own = [Path(folder)] if folder is not None else []
        return tuple(path.expanduser().absolute() for path in (*own, *self.folders()))

    def _same(self, found: native.Manifest, loaded: LoadedModule) -> LoadedModule:
        there = loaded._manifest.folder
        if there != found.folder:
            raise DeployError(
                f"{found.place} is loaded from {there}: `%o unload {found.place}` before that in {found.folder}"
            )
        return loaded

    def reload(self, name: str, *, fresh: bool = False) -> dict[str, str]:
        """Build the module as it is now and let it take the place of the loaded one; what happened, in words.

        The state is handed over, or begins anew with ``fresh``. Calls that come meanwhile wait and then reach the new
        build. Raises DeployError where it does not fit, and what ``load`` raises: then the loaded one serves on.
        """
        with self._lock:
            place = self._place(name)
            module, mode, folders = self._loaded[place]
            old = module._build
            built = _built(native.find(place, folders), mode, folders)
            told = {"module": place, "version": _change(old.version, built.manifest.version)}
            told["source"] = _change(old.git_hash[:DIGITS], built.git_hash[:DIGITS])
            if built.artifact.key == old.artifact.key and not fresh:
                return {**told, "state": _kept(old), "build": "the same"}
            new = self._taken(old, built, place, fresh=fresh)
            module._slot.version = new
            module._slot.note = _note(new)
            module._manifest = built.manifest
            told["state"] = "none" if not built.layout else "new" if fresh or not old.built.layout else "handed over"
            return {**told, "build": "found in the cache" if built.artifact.cached else "new"}

    def _taken(self, old: native.Module, built: native.Built, place: str, *, fresh: bool) -> native.Module:
        why = interface_misfit(old.built, built)
        if why:
            raise DeployError(f"{place} serves on as it is: {why}. `%o unload {place}`, and load it again")
        if fresh:
            new = native.Module(built)
            new.replace(old)
            return new
        why = state_misfit(old.built, built)
        if why:
            raise DeployError(
                f"{place} serves on as it is, because its state cannot be handed over: {why}. "
                f"`%o reload {place} --fresh` begins with a new one"
            )
        return native.Module(built, old)

    def unload(self, name: str) -> dict[str, str]:
        """Take a module out; its state and its library go when the calls under way have returned.

        Raises DeployError where it is not loaded.
        """
        with self._lock:
            place = self._place(name)
            module, _, _ = self._loaded.pop(place)
            told = {
                "module": place,
                "version": module._build.version,
                "state": "gone" if _kept(module._build) != "none" else "none",
            }
            module._build.close(f'{place} was unloaded: load("{place}") loads it again')
            return told

    def _place(self, name: str) -> str:
        """The key of a loaded module by its name, with or without its language."""
        found = [place for place in self._loaded if name in (place, place.partition("/")[2])]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{name} is loaded in several languages: say {' or '.join(found)}")
        known = ", ".join(self._loaded) or "none"
        raise DeployError(f"no module {name} is loaded: those that are loaded are {known}")

    def listing(self) -> tuple[tuple[str, str, str, str], ...]:
        """(language/name, version, whether it is loaded, description) of every module that can be loaded."""
        with self._lock:
            rows = {
                item.place: (item.place, item.version, "", item.description)
                for item in native.found_in(self._folders(None))
            }
            for place, (module, _, _) in self._loaded.items():
                rows[place] = (place, module._build.version, "loaded", module._build.built.manifest.description)
            return tuple(rows[place] for place in sorted(rows))


def _built(found: native.Manifest, mode: Mode, folders: Sequence[Path]) -> native.Built:
    program = native.program_of(found, mode, folders)
    signatures = languages.tools_for(found.language).signatures(program.source)
    return native.build_module(
        found, program, {name: (item.parameters, item.doc, item.line) for name, item in signatures.items()}
    )


def _note(module: native.Module) -> str:
    return f"module {module.built.manifest.place}, version {module.version}, source {module.git_hash[:DIGITS]}"


def _kept(module: native.Module) -> str:
    return "kept" if module.built.layout else "none"


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} \N{RIGHTWARDS ARROW} {after}"
