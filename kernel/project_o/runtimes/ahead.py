"""Variants of the user's own text that differ in their parameters alone, built many at once, ahead of their trials.

For a space of settings that a run is going to try all of: one compilation costs a variant less than a tenth of its own
one. The variants of a proposed text are built one by one, locked, as that text is.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import limits
from ..errors import CompileError, ToolchainError
from ..languages import tools_for
from ..values import Artifact, Program

if TYPE_CHECKING:
    from ..toolchain.build import Names
    from ..toolchain.variants import Variants

Build = Callable[[Program], Artifact]


def variants_of(program: Program, trials: int | None) -> tuple[Program, ...]:
    """All of the variants of a text, where they are few and a run of so many trials sees most of them; else none."""
    domains = [(item.name, item.domain) for item in program.parameters]
    points = math.prod(len(domain) for _, domain in domains)
    enough = trials is None or trials >= points / 2
    if program.language != "zig" or not limits.VARIANTS_MIN <= points <= limits.VARIANTS_MAX or not enough:
        return ()
    tools, names = tools_for(program.language), [name for name, _ in domains]
    settings = itertools.product(*(domain for _, domain in domains))
    return tuple(tools.with_settings(program, dict(zip(names, values, strict=True))) for values in settings)


class Ahead:
    """A build for looking at candidates: of the ``variants`` all are made when the first is asked for; anything else,
    and what cannot be made so, is left to ``build``. Safe to use from several threads.
    """

    def __init__(self, variants: tuple[Program, ...], names: Names, build: Build) -> None:
        self._variants, self._names, self._build = variants, names, build
        self._lock = threading.Lock()
        self._held: Variants | None = None  # what it built lasts as long as it does
        self._found: dict[str, Artifact | CompileError | None] | None = None

    def __call__(self, program: Program) -> Artifact:
        """The build of a program. Raises as ``build``."""
        if all(item.digest != program.digest for item in self._variants):
            return self._build(program)
        with self._lock:
            if self._found is None:
                self._found = self._made()
        found = self._found.get(program.digest)
        if isinstance(found, CompileError):
            raise found
        return found if found is not None else self._build(program)

    def _made(self) -> dict[str, Artifact | CompileError | None]:
        from ..toolchain.variants import Variants

        try:
            self._held = Variants(self._variants, self._names)
        except ToolchainError:
            return {}  # each one's own build says what is the matter, or goes well
        return {item.digest: found for item, found in zip(self._variants, self._held.found, strict=True)}
