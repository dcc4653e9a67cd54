"""What the flow asks of a language's runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..languages.covered import Covering
    from ..languages.tried import Trying
    from ..languages.typed import TypedModule
    from ..sandbox import Asking, Sandbox
    from ..values import Artifact, Program


@dataclass(frozen=True, slots=True)
class Subject:
    """An object of the user's as a program, and which of its functions was meant (None: the only one)."""

    program: Program
    function: str | None = None


class Version(Protocol):
    """One loaded build: whoever reads it keeps it alive for the call."""

    artifact: Artifact

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of its functions."""


class Runtime(Protocol):
    """The programs of one or more languages. ``languages`` names them."""

    languages: tuple[str, ...]

    def subject(self, target: Any) -> Subject | None:
        """The program that this object of the user's is; None where it is not of these languages.

        Raises UsageError where it is, but cannot be sent into a sandbox.
        """

    def build(self, program: Program, *, proposed: bool = False) -> Artifact:
        """Program -> Artifact, from the cache where it is there. ``proposed``: its text is not the user's own, so that
        no compiler may run on it with the user's rights. Raises CompileError, ToolchainMissing, SandboxError."""

    def opener(self, box: Sandbox) -> Callable[[Artifact], Asking] | None:
        """How an artifact is opened in the sandbox; None where it is a library, which ``box.native`` opens."""

    def typed(self, box: Sandbox) -> Callable[[Program], TypedModule | None] | None:
        """How a program becomes a module for a type checker, None where it has no annotations; None where the compiler
        is the type checker. What must be run for that runs in the sandbox, with the bounds of ``box``."""

    def covering(self, box: Sandbox) -> Callable[[Artifact], Covering]:
        """How the lines that a build reaches are counted. What it gives raises NotMeasured where they are not."""

    def trying(self, box: Sandbox) -> Callable[[Artifact, Sequence[Sequence[Any]]], Trying] | None:
        """How many texts of a build are tried on the same calls in one process; None where each has to be compiled."""

    def ahead(
        self, program: Program, trials: int | None, build: Callable[[Program], Artifact]
    ) -> Callable[[Program], Artifact] | None:
        """How variants of the user's own text are built for a first look, where there is a quicker way; else None.

        Whatever else is asked of it is left to ``build``, which knows what has to be locked.
        """

    def version(self, program: Program, *, trial: bool, proposed: bool = False, quick: bool = False) -> Version:
        """The program as it serves in this process, built as ``build`` does. ``trial``: a first call in the sandbox.

        With ``quick`` it is the user's own text, and a build that is there at once may serve until the best one is.
        """

    def reach(self, target: Any) -> None:
        """Raises DeployError where the user's own name could not follow an accepted version of ``target``."""

    def bind(self, target: Any, slot: Any) -> None:
        """A version of ``target`` was accepted or taken back: let the user's own name follow the slot."""
