"""Our exceptions. Each message says what failed, where, and what to do next.

ProjectOError
├── UsageError            a name, option or value that cannot be meant
├── InterfaceError        a call that does not fit the native function: dtype, shape, writability, count
├── ToolchainError
│   ├── ToolchainMissing  no compiler where we looked
│   └── CompileError      the source does not compile; carries the diagnostics
├── NativeError           native code ended a call
│   ├── NativePanic       a safety check of the language: the message and the cell's line
│   ├── NativeFault       a hardware fault: signal, address, function
│   └── NativeResultError an error value that the function returned; ``name`` is the error's own name
├── SandboxError          the sandbox could not be set up, or refused
├── EvolutionError        a run could not start or go on
├── HistoryError          the store cannot be read or written
├── DeployError           nothing serves, or can serve, that name
├── LispError             a Lisp form that cannot be read, expanded or evaluated; ``line`` is the cell's own
├── AgentError            an agent, a tool or a memory that is not there, or cannot do what was asked
└── ModelError            a language model did not answer, or not in a way that can be used
    └── ModelMissing      no model is configured

HistoryWarning (a UserWarning): a fault of the history store; the cell runs on without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The history's recorder starts with every kernel and needs the errors, not the values.
    from .values import Diagnostic


class ProjectOError(Exception):
    """The root: catch this to catch everything we raise."""


class UsageError(ProjectOError):
    """A name, option or value that cannot be meant."""


class InterfaceError(ProjectOError, TypeError):
    """Arguments that do not fit the native function."""


class ToolchainError(ProjectOError):
    """A compiler is missing or failed."""


class ToolchainMissing(ToolchainError):  # noqa: N818 - reads as the state it reports
    """No usable compiler was found."""


class CompileError(ToolchainError):
    """The source does not compile, or ``--test`` found that it fails its own tests, as ``what`` says.

    ``diagnostics`` point at the cell's own lines.
    """

    def __init__(
        self,
        message: str,
        diagnostics: tuple[Diagnostic, ...] = (),
        language: str = "zig",
        what: str = "does not compile",
    ) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics
        self.language = language
        self.what = what


class NativeError(ProjectOError):
    """Native code ended a call. ``function`` is its name, ``line`` the cell's line or 0."""

    def __init__(self, message: str, *, function: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.function = function
        self.line = line


class NativePanic(NativeError):  # noqa: N818 - the language's own word
    """A safety check of the language stopped the call."""


class NativeFault(NativeError):  # noqa: N818 - the processor's own word
    """A hardware fault stopped the call."""


class NativeResultError(NativeError):
    """The function returned an error value; ``name`` is the error's own name."""

    def __init__(self, message: str, *, name: str = "", function: str = "", line: int = 0) -> None:
        super().__init__(message, function=function, line=line)
        self.name = name


class SandboxError(ProjectOError):
    """The sandbox could not be set up, or refuses."""


class EvolutionError(ProjectOError):
    """A run could not start or go on."""


class HistoryError(ProjectOError):
    """The history store cannot be read or written."""


class DeployError(ProjectOError):
    """Nothing serves, or can serve, that name."""


class LispError(ProjectOError):
    """A Lisp form cannot be read, expanded or evaluated. ``line`` and ``column`` are the cell's own, 0 if unknown."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class AgentError(ProjectOError):
    """An agent, a tool or a memory is not there, or cannot do what was asked."""


class ModelError(ProjectOError):
    """A language model did not answer, or not in a way that can be used."""


class ModelMissing(ModelError):  # noqa: N818 - reads as the state it reports
    """No language model is configured."""


class HistoryWarning(UserWarning):
    """The history cannot be recorded where, or as fully as, it should be; the cell runs on. Said once."""


def a_kind(value: object) -> str:
    """What a value is, in a message: ``an int``, ``a str``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def warn(text: str, stacklevel: int = 3) -> None:
    """Say a HistoryWarning. Where the user made warnings errors it is printed: a fault of ours stops no cell."""
    import sys
    import warnings

    try:
        warnings.warn(text, HistoryWarning, stacklevel=stacklevel)
    except HistoryWarning:
        print(f"HistoryWarning: {text}", file=sys.stderr)  # noqa: T201 - the one place left to say it
