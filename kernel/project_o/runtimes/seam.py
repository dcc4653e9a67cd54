"""What the flow asks of a language's runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
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

    def build(self, program: Program) -> Artifact:
        """Program -> Artifact, from the cache where it is there. Raises CompileError, ToolchainMissing, LispError."""

    def opener(self, box: Sandbox) -> Callable[[Artifact], Asking] | None:
        """How an artifact is opened in the sandbox; None where it is a library, which ``box.native`` opens."""

    def version(self, program: Program, *, trial: bool, quick: bool = False) -> Version:
        """The program as it serves in this process. ``trial`` asks for a first call in the sandbox.

        With ``quick`` it is the user's own text, and a build that is there at once may serve until the best one is.
        """

    def reach(self, target: Any) -> None:
        """Raises DeployError where the user's own name could not follow an accepted version of ``target``."""

    def bind(self, target: Any, slot: Any) -> None:
        """A version of ``target`` was accepted or taken back: let the user's own name follow the slot."""
