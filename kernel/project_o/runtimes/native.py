"""Native programs: compiled by a toolchain, tried in the sandbox, called in this process under the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .seam import Subject

if TYPE_CHECKING:
    from ..sandbox import Job, Sandbox
    from ..toolchain.build import Names
    from ..toolchain.version import Version
    from ..values import Artifact, Program

ISOLATE = "isolate"
LINK = "link:"


class NativeRuntime:
    """Zig and Rust. Their functions are served by ``deploy``'s own handles, which the flow knows."""

    languages: tuple[str, ...] = ("zig", "rust")

    def subject(self, target: Any) -> Subject | None:
        """None: a native object has a name that serves, and the flow looks that up."""
        return None

    def build(self, program: Program) -> Artifact:
        """Compile, or find in the cache. Raises CompileError, ToolchainMissing, UsageError."""
        from .. import toolchain

        return toolchain.build(program, names=_names(program))

    def opener(self, box: Sandbox) -> Callable[[Artifact], Job] | None:
        """None: an artifact is a library."""
        return None

    def version(self, program: Program, *, trial: bool, quick: bool = False) -> Version:
        """The build as it serves: tried first, or isolated where its cell asked for that."""
        from ..languages import keeps, zig
        from ..sandbox import shared
        from ..toolchain.quick import How, Text, open_cell

        how = How(shared(), isolate=ISOLATE in program.options, trial=trial)
        if not quick or program.language != "zig":
            return how.version(self.build(program))
        source = program.source
        text = Text(_names(program), lambda: zig.functions(source), lambda: keeps(program.language, source))
        return open_cell(program, text, how)

    def reach(self, target: Any) -> None:
        """Nothing to see to: as ``bind``."""

    def bind(self, target: Any, slot: Any) -> None:
        """Nothing to do: the handles follow their slot."""


def _names(program: Program) -> Names:
    from ..languages import tools_for

    found = tools_for(program.language).signatures(program.source)
    return {name: (item.parameters, item.doc, item.line) for name, item in found.items()}
