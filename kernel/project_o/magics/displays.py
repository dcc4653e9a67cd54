"""Which view shows which value. Values know nothing of views; here is where the two meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import view

Show = Callable[[Any], view.Display]

SHOWN: dict[tuple[str, str], Show] = {
    ("project_o.deploy.handles", "NativeModule"): lambda value: view.native_module(
        value.__name__, value.slot.version.artifact
    ),
    ("project_o.deploy.handles", "NativeFunction"): lambda value: view.native_function(
        value.native, value.slot.version.artifact
    ),
    ("project_o.evolve.run", "Run"): view.run,
    ("project_o.values", "State"): view.state,
    ("project_o.values", "Verdict"): view.verdict,
    ("project_o.values", "Program"): view.program,
    ("project_o.values", "Deployment"): lambda value: view.serving_table([value]),
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
