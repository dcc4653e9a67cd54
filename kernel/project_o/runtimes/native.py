"""Native programs: compiled by a toolchain, tried in the sandbox, called in this process under the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .seam import Subject

if TYPE_CHECKING:
    from ..sandbox import Job, Sandbox
    from ..toolchain.version import Version
    from ..values import Artifact, Program

ISOLATE = "isolate"


def options_of(*, isolate: bool, links: Sequence[str], crates: Sequence[str]) -> tuple[str, ...]:
    """The options of a program: those of a cell's line that change what is built or how it is called."""
    found = [ISOLATE] if isolate else []
    found += [f"link:{library}" for library in links]
    found += [f"dep:{crate}" for crate in crates]
    return tuple(found)


class NativeRuntime:
    """Zig and Rust. Their functions are served by ``deploy``'s own handles, which the flow knows."""

    languages: tuple[str, ...] = ("zig", "rust")

    def subject(self, target: Any) -> Subject | None:
        """None: a native object has a name that serves, and the flow looks that up."""
        return None

    def build(self, program: Program) -> Artifact:
        """Compile, or find in the cache. Raises CompileError, ToolchainMissing, UsageError."""
        from .. import languages, toolchain

        found = languages.tools_for(program.language).signatures(program.source)
        return toolchain.build(
            program, names={name: (item.parameters, item.doc, item.line) for name, item in found.items()}
        )

    def opener(self, box: Sandbox) -> Callable[[Artifact], Job] | None:
        """None: an artifact is a library."""
        return None

    def version(self, program: Program, *, trial: bool) -> Version:
        """The build as it serves: tried first, or isolated where its cell asked for that."""
        from ..sandbox import shared
        from ..toolchain.version import Version

        return Version(self.build(program), box=shared(), isolate=ISOLATE in program.options, trial=trial)

    def reach(self, target: Any) -> None:
        """Nothing to see to: as ``bind``."""

    def bind(self, target: Any, slot: Any) -> None:
        """Nothing to do: the handles follow their slot."""
