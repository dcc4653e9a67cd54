"""Which view shows which value. Values know nothing of views; here is where the two meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import view

Show = Callable[[Any], view.Display]


def _module(value: Any) -> view.Display:
    artifact = value.slot.version.artifact
    return view.show_module(value.__name__, artifact.interface, artifact)


def _run(run: Any) -> view.Display:
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


SHOWN: dict[tuple[str, str], Show] = {
    **{(kind.__module__, kind.__name__): show for kind, show in view.VIEWS.items()},
    ("project_o.deploy.handles", "NativeModule"): _module,
    ("project_o.deploy.handles", "NativeFunction"): lambda value: view.show_function(
        value.native, value.slot.version.artifact
    ),
    ("project_o.evolve.run", "Run"): _run,
    ("project_o.evolve.archive", "Lineage"): lambda lineage: view.show_lineage(lineage.records, best=lineage.best),
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
