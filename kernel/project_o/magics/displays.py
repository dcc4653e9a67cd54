"""Which view shows which value. Values know nothing of views; here is where the two meet.

The classes are named, not imported, and so is each view until it shows something: every kernel loads this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..view import Display

Show = Callable[[Any], "Display"]

WITH_A_VIEW = {
    "project_o.values": (
        "Artifact",
        "Check",
        "Deployment",
        "Interface",
        "Measurement",
        "NativeFunction",
        "Program",
        "Progress",
        "State",
        "Verdict",
    ),
    "project_o.errors": ("CompileError", "ProjectOError"),
}
"""The keys of ``view.VIEWS``: module -> class names."""


def _any(value: Any) -> Display:
    from .. import view

    return view.show(value)


def _module(value: Any) -> Display:
    from .. import view

    artifact = value.slot.version.artifact
    notes = (value.slot.note,) if value.slot.note else ()
    return view.show_module(value.__name__, artifact.interface, artifact, notes=notes)


def _function(value: Any) -> Display:
    from .. import view

    return view.show_function(value.native, value.slot.version.artifact)


def _run(run: Any) -> Display:
    from .. import view

    return view.show_run(
        run.program.name,
        run.trials,
        run.verdict,
        best=run.best_index,
        seconds=run.seconds,
        seed=run.seed,
        digest=run.lineage.digest,
        state=run.state.id if run.state else "",
    )


def _lineage(lineage: Any) -> Display:
    from .. import view

    return view.show_lineage(lineage.records, best=lineage.best)


SHOWN: dict[tuple[str, str], Show] = {
    **{(module, name): _any for module, names in WITH_A_VIEW.items() for name in names},
    ("project_o.deploy.handles", "NativeModule"): _module,
    ("project_o.deploy.handles", "NativeFunction"): _function,
    ("project_o.evolution.run", "Run"): _run,
    ("project_o.evolution.archive", "Lineage"): _lineage,
}


def register(shell: Any) -> None:
    """Teach IPython to show our values."""
    formatter = shell.display_formatter.mimebundle_formatter
    for (module, name), show in SHOWN.items():
        formatter.for_type_by_name(module, name, _formatter(show))


def unregister(shell: Any) -> None:
    """Forget them again."""
    formatter = shell.display_formatter.mimebundle_formatter
    for module, name in SHOWN:
        formatter.deferred_printers.pop((module, name), None)
        for known in [kind for kind in formatter.type_printers if (kind.__module__, kind.__name__) == (module, name)]:
            formatter.type_printers.pop(known)


def _formatter(show: Show) -> Callable[..., dict[str, str]]:
    def bundle(value: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return show(value).bundle()

    return bundle
