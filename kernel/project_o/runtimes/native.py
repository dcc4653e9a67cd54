"""Native programs: compiled by a toolchain, tried in the sandbox, called in this process under the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import SandboxError, UsageError
from ..languages.covered import Covering, NotMeasured
from .seam import Subject
from .trust import no_build_of

if TYPE_CHECKING:
    from ..sandbox import Asking, Sandbox
    from ..toolchain.version import Version
    from ..values import Artifact, Program


def options_of(
    *, isolate: bool, nogil: bool, timeout: float, links: Sequence[str], crates: Sequence[str]
) -> tuple[str, ...]:
    """What the words of a cell's first line are among the options of its program. Raises UsageError."""
    from ..toolchain.sources import ISOLATE, LINK_PREFIX, NOGIL, TIMEOUT_PREFIX

    if not 0 <= timeout <= limits.ISOLATE_WALL_SECONDS:
        raise UsageError(f"a timeout of {timeout:g} s cannot be meant: it is at most {limits.ISOLATE_WALL_SECONDS:g} s")

    chosen = ((ISOLATE,) if isolate else ()) + ((NOGIL,) if nogil else ())
    chosen += (f"{TIMEOUT_PREFIX}{timeout!r}",) if timeout else ()
    return (*chosen, *(LINK_PREFIX + library for library in links), *(f"dep:{crate}" for crate in crates))


class NativeRuntime:
    """Zig and Rust. Their functions are served by ``deploy``'s own handles, which the flow knows.

    ``unsandboxed`` says whether the user takes the risk of proposed texts where they cannot be compiled in the sandbox.
    """

    languages: tuple[str, ...] = ("zig", "rust")

    def __init__(self, unsandboxed: Callable[[], bool] = lambda: False) -> None:
        self._unsandboxed = unsandboxed

    def subject(self, target: Any) -> Subject | None:
        """None: a native object has a name that serves, and the flow looks that up."""
        return None

    def build(self, program: Program, *, proposed: bool = False) -> Artifact:
        """Compile, or find in the cache. Raises CompileError, ToolchainMissing, UsageError, SandboxError."""
        from .. import toolchain
        from ..languages import names_of

        return toolchain.build(program, names=names_of(program), box=self._builder(program) if proposed else None)

    def _builder(self, program: Program) -> Sandbox | None:
        """Where a proposed text is compiled; None where that is nowhere, and the user takes the risk."""
        from ..sandbox import shared_builder

        why = no_build_of(program)
        if why and not self._unsandboxed():
            raise SandboxError(why)
        return None if why else shared_builder()

    def opener(self, box: Sandbox) -> Callable[[Artifact], Asking] | None:
        """None: an artifact is a library."""
        return None

    def typed(self, box: Sandbox) -> None:
        """None: the compiler checks types."""

    def covering(self, box: Sandbox) -> Callable[[Artifact], Covering]:
        """By rustc's own instrumentation, in a build of its own. Zig's compiler has none."""

        def covering(artifact: Artifact) -> Covering:
            if artifact.program.language != "rust":
                raise NotMeasured("Zig's compiler counts no lines")
            from .rust_covered import covering_of

            return covering_of(artifact, self.build, box)

        return covering

    def trying(self, box: Sandbox) -> None:
        """None: each text is compiled."""

    def ahead(
        self, program: Program, trials: int | None, build: Callable[[Program], Artifact]
    ) -> Callable[[Program], Artifact] | None:
        """All variants in one compilation, where they are few."""
        from ..languages import names_of
        from .ahead import Ahead, variants_of

        variants = variants_of(program, trials)
        return Ahead(variants, names_of(program), build) if variants else None

    def version(self, program: Program, *, trial: bool, proposed: bool = False, quick: bool = False) -> Version:
        """The build as it serves: tried first, or isolated where its cell asked for that."""
        from ..languages import keeps, names_of, zig
        from ..sandbox import shared
        from ..toolchain import dispatcher
        from ..toolchain.quick import How, Text, open_cell
        from ..toolchain.sources import ISOLATE

        dispatcher.prepare()
        how = How(shared(), isolate=ISOLATE in program.options, trial=trial)
        if not quick:
            return how.version(self.build(program, proposed=proposed))
        texts = [text for _, text in program.files]
        text = Text(
            names=lambda: names_of(program),
            functions=lambda: zig.functions(program.source) if program.language == "zig" else [],
            keeps=lambda: next(filter(None, (keeps(program.language, item) for item in texts)), ""),
        )
        return open_cell(program, text, how)

    def reach(self, target: Any) -> None:
        """Nothing to see to: as ``bind``."""

    def bind(self, target: Any, slot: Any) -> None:
        """Nothing to do: the handles follow their slot."""
