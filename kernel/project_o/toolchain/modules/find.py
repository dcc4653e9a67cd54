"""Where modules are: the folders that the user names, then ``native/`` of the checkout or of the installed package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import UsageError, a_kind
from . import manifest
from .manifest import LANGUAGES, Manifest

_PACKAGE = Path(__file__).parents[2]


def ours() -> Path:
    """The folder with the modules that come with us: that of the checkout, else the copy in the package."""
    checkout = _PACKAGE.parents[1] / "native"
    return checkout if (checkout / "abi" / "o.h").is_file() else _PACKAGE / "native"


def find(name: str, folders: Sequence[Path]) -> Manifest:
    """The module of that name in the first folder that has it, else among ours. ``zig/counter`` says which language.

    A folder is a module itself, or holds modules, or holds ``zig`` and ``rust`` that do.
    Raises UsageError where there is none, or its module.json cannot be meant.
    """
    if not isinstance(name, str):
        raise UsageError(f'a module has a name, as in load("counter"): this is {a_kind(name)}')
    language, _, bare = name.rpartition("/")
    if language not in ("", *LANGUAGES) or not bare:
        raise UsageError(f"{name!r} names no module: write counter, or zig/counter where there is one in each language")
    for folder in (*folders, ours()):
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder: modules are looked for in it because it was named for them")
        for place in _places(folder, language, bare):
            found = manifest.read(place)
            if found.name != place.name:
                raise UsageError(f"{place} holds the module {found.name}: the folder has to have the module's name")
            if not language or found.language == language:
                return found
    known = ", ".join(item.place for item in found_in(folders)) or "none"
    where = ", ".join(str(folder) for folder in (*folders, ours()))
    raise UsageError(f"there is no module {name} in {where}: the modules there are {known}")


def _places(folder: Path, language: str, name: str) -> Iterator[Path]:
    near = (folder, *(folder / item for item in LANGUAGES if language in ("", item)))
    candidates = [folder] if folder.name == name else []
    candidates += [place / name for place in near]
    return (place for place in candidates if (place / manifest.FILE).is_file())


def found_in(folders: Sequence[Path]) -> tuple[Manifest, ...]:
    """All modules that ``find`` can find, in its order; those whose module.json cannot be meant are left out."""
    found: dict[str, Manifest] = {}
    for folder in (*folders, ours()):
        for near in (folder, *(folder / language for language in LANGUAGES)):
            for path in sorted(near.glob(f"*/{manifest.FILE}")):
                try:
                    item = manifest.read(path.parent)
                except UsageError:
                    continue  # loading it says what is wrong with it
                if item.name == path.parent.name:
                    found.setdefault(item.place, item)
    return tuple(found.values())
