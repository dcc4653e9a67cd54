"""What a box allows and denies beyond its profile: ``allow=`` and ``deny=`` as words, read and checked once.

"unsafe"                                   allow: run where no level holds, and allow what could break the wall
"landlock" "seccomp" "namespaces"          deny: leave the layer out, as if the kernel lacked it
"read:/path" "write:/path"                 allow: open what is there and below, and nothing else
"call:NAME"                                allow or deny: one system call
"import:NAME" "form:NAME"                  deny, and for imports allow, which then means only those: see ``lint``
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from .calls import CALLS, HARMLESS, NEEDED
from .lint import LintRules

LAYERS = ("landlock", "seccomp", "namespaces")
_SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run")


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy's words, sorted. Paths are absolute; ``denied_layers`` are those that are left out."""

    unsafe: bool = False
    denied_layers: frozenset[str] = frozenset()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    allowed_calls: tuple[str, ...] = ()
    denied_calls: tuple[str, ...] = ()
    lint: LintRules = field(default_factory=LintRules)

    @property
    def files(self) -> bool:
        """Whether jobs may open files by name."""
        return bool(self.read or self.write)

    @property
    def opened(self) -> tuple[str, ...]:
        """What must be visible to the jobs, as words."""
        return (*(f"read:{path}" for path in self.read), *(f"write:{path}" for path in self.write))


PLAIN = Rules()
"""As the profile has it."""


def parse(allow: Iterable[str], deny: Iterable[str]) -> Rules:
    """The rules of a box. Raises UsageError for a word that cannot be meant, and says which can."""
    allowed, denied = _words(allow), _words(deny)
    unsafe = "unsafe" in allowed
    return Rules(
        unsafe=unsafe,
        denied_layers=frozenset(_of("deny", denied, LAYERS, ("call", "import", "form"))),
        read=_paths(allowed, "read", unsafe=unsafe),
        write=_paths(allowed, "write", unsafe=unsafe),
        allowed_calls=_allowed_calls(allowed, unsafe=unsafe),
        denied_calls=_denied_calls(denied),
        lint=LintRules.of(
            allow=_of_kind(_checked("allow", allowed), ("import", "form")), deny=_of_kind(denied, ("import", "form"))
        ),
    )


def _words(given: Iterable[str]) -> list[str]:
    return sorted({given} if isinstance(given, str) else set(given))


def _checked(what: str, words: list[str]) -> list[str]:
    _of(what, words, ("unsafe",), ("read", "write", "call", "import", "form"))
    return words


def _of(what: str, words: list[str], plain: tuple[str, ...], kinds: tuple[str, ...]) -> list[str]:
    """The plain words among these, once it is sure that all are known."""
    unknown = [word for word in words if word not in plain and (":" not in word or word.split(":")[0] not in kinds)]
    if unknown:
        known = ", ".join((*plain, *(f"{kind}:..." for kind in kinds)))
        raise UsageError(f"{what} does not know {', '.join(unknown)}: it knows {known}")
    return [word for word in words if word in plain]


def _of_kind(words: list[str], kinds: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.partition(":")[0] in kinds]


def _after(words: list[str], kind: str) -> list[str]:
    return [word.partition(":")[2] for word in _of_kind(words, (kind,))]


def _paths(words: list[str], kind: str, *, unsafe: bool) -> tuple[str, ...]:
    found = []
    for text in _after(words, kind):
        path = os.path.normpath(text)
        if not Path(path).is_absolute():
            raise UsageError(f"{kind}:{text} must name an absolute path, such as {kind}:{Path(text or '.').absolute()}")
        if not Path(path).exists():
            raise UsageError(f"{kind}:{text} names nothing that is there: make it first")
        real = os.path.realpath(path)
        system = real == "/" or any(Path(real).is_relative_to(folder) for folder in _SYSTEM_FOLDERS)
        if system and not unsafe:
            raise UsageError(
                f"{kind}:{text} would let a job see the kernel's own process, its environment included: name a folder "
                "of data; allow=('unsafe', ...) takes the risk"
            )
        found.append(path)
    return tuple(found)


def _allowed_calls(words: list[str], *, unsafe: bool) -> tuple[str, ...]:
    names = _known_calls(_after(words, "call"))
    if not unsafe and (wrong := [name for name in names if name not in HARMLESS]):
        raise UsageError(
            f"call:{wrong[0]} is not allowed: with it a job could reach beyond itself, or what it holds could not be "
            "bounded. For files use read:/path or write:/path; allow=('unsafe', ...) takes the risk"
        )
    return names


def _denied_calls(words: list[str]) -> tuple[str, ...]:
    names = _known_calls(_after(words, "call"))
    if wrong := [name for name in names if name in NEEDED]:
        raise UsageError(f"call:{wrong[0]} cannot be denied: the process that answers for the job needs it itself")
    return names


def _known_calls(names: list[str]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in CALLS]:
        raise UsageError(f"call:{unknown[0]} is no system call of Linux: name it as in man 2 syscalls")
    return tuple(names)
