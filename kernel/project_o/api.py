"""The public functions: the flow of this process joined with the views, for notebooks and plain scripts alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .config import effective, evolution_forbidden
from .flow import Flow

if TYPE_CHECKING:
    from .deploy import NativeModule
    from .evolution import Run
    from .values import Mode
    from .view import Display

_current: Flow | None = None


def use(flow: Flow | None) -> None:
    """Make ``flow`` the one that ``zig``, ``rust`` and ``evolve`` of this process use; None: that of a plain script."""
    global _current
    _current = flow


def current() -> Flow:
    """The flow of this kernel where the extension is loaded, else that of a plain script, without a history."""
    return _current or _default()


@lru_cache(maxsize=1)
def _default() -> Flow:
    flow = Flow()
    flow.forbidden = evolution_forbidden
    flow.unsandboxed = lambda: bool(effective()["serve_unsandboxed"].value)
    flow.quick = lambda: bool(effective()["quick"].value)
    return flow


def zig(source: str, name: str = "", *, mode: Mode = "safe", isolate: bool = False, trial: bool = True) -> NativeModule:
    """Compile Zig source and return its functions as the attributes of a module, as ``%%zig`` does.

    Raises CompileError, ToolchainMissing, UsageError.
    """
    return current().cell(source, "zig", name, mode=mode, isolate=isolate, trial=trial)


def rust(
    source: str, name: str = "", *, mode: Mode = "safe", isolate: bool = False, trial: bool = True
) -> NativeModule:
    """Compile Rust source and return its functions as the attributes of a module, as ``%%rust`` does.

    Raises CompileError, ToolchainMissing where there is no ``rustc``, UsageError.
    """
    return current().cell(source, "rust", name, mode=mode, isolate=isolate, trial=trial)


def evolve(program: Any, evaluator: Callable[[Any], Mapping[str, float]] | None = None, **options: Any) -> Run:
    """Search for a better version of anything with a name, as ``%evolve`` does; see ``Flow.evolve`` for the options.

    Raises EvolutionError where a run cannot start, UsageError for options that cannot be meant.
    """
    return current().evolve(program, evaluator, plot=plot, **options)


def plot(run: Run) -> Display:
    """All trials of a run in one picture."""
    from . import view

    return view.show_metrics(run.trials, best=run.best_index, name=run.program.name)
