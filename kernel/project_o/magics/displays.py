"""Which view shows which value. Values know nothing of views; here is where the two meet.

The classes are named, not imported, and so is each view until it shows something: every kernel loads this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from IPython.display import publish_display_data

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
        "Turn",
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
    from .. import api

    return api.page(run)


def _lineage(lineage: Any) -> Display:
    from .. import view

    return view.show_lineage(lineage.records, best=lineage.best)


def _agent(agent: Any) -> Display:
    from .. import view

    spec = agent.spec
    rows = [
        ("prompt", spec.doc),
        ("tools", ", ".join(spec.tools) or "none"),
        ("memory", spec.memory or "none"),
        ("answers by", "its body" if spec.body is not None else spec.model or "a model: `%o config` shows which"),
        ("state", agent.state),
        ("say", f"%%agent {agent.name}, and below it the message"),
    ]
    return view.show_table(agent.name, ("what", "value"), rows)


def _tool(tool: Any) -> Display:
    from .. import view

    where = "in the sandbox, until a person has approved it" if tool.unsafe else "here"
    if tool.timeout_seconds:
        where += f", in a process of its own, for at most {tool.timeout_seconds:g} s"
    rows = [
        ("does", tool.doc),
        *(("argument", _argument(item)) for item in tool.parameters),
        ("effects", ", ".join(tool.effects) or "none named"),
        ("runs", where),
        ("written in", tool.language),
    ]
    return view.show_table(tool.name, ("what", "value"), rows)


def _argument(item: Any) -> str:
    default = "" if item.required else f", {item.default!r} where it is left out"
    return f"{item.name}: {item.wanted}{default}{f' - {item.doc}' if item.doc else ''}"


SHOWN: dict[tuple[str, str], Show] = {
    **{(module, name): _any for module, names in WITH_A_VIEW.items() for name in names},
    ("project_o.deploy.handles", "NativeModule"): _module,
    ("project_o.deploy.modules", "LoadedModule"): _module,
    ("project_o.deploy.handles", "NativeFunction"): _function,
    ("project_o.evolution.run", "Run"): _run,
    ("project_o.evolution.archive", "Lineage"): _lineage,
    ("project_o.agent.agent", "Agent"): _agent,
    ("project_o.lisp.specs", "ToolSpec"): _tool,
}
REPLIES = "project_o.agent.reply"


def register(shell: Any) -> None:
    """Teach IPython to show our values."""
    formatter = shell.display_formatter.mimebundle_formatter
    for (module, name), show in SHOWN.items():
        formatter.for_type_by_name(module, name, _formatter(show))
    formatter.for_type_by_name(REPLIES, "Reply", _reply)
    # Text has a plain form of its own, with quotes; the bundle alone would not replace it.
    shell.display_formatter.formatters["text/plain"].for_type_by_name(REPLIES, "Reply", _plain_reply)
    shell.display_formatter.ipython_display_formatter.for_type_by_name(REPLIES, "StreamedReply", _unless_shown(shell))


def unregister(shell: Any) -> None:
    """Forget them again."""
    _forget(shell.display_formatter.mimebundle_formatter, (*SHOWN, (REPLIES, "Reply")))
    _forget(shell.display_formatter.formatters["text/plain"], ((REPLIES, "Reply"),))
    _forget(shell.display_formatter.ipython_display_formatter, ((REPLIES, "StreamedReply"),))


def _forget(formatter: Any, names: Iterable[tuple[str, str]]) -> None:
    for module, name in names:
        formatter.deferred_printers.pop((module, name), None)
        for known in [kind for kind in formatter.type_printers if (kind.__module__, kind.__name__) == (module, name)]:
            formatter.type_printers.pop(known)


def _reply(reply: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    from .. import view

    return view.turn_bundle(reply.turn)


def _plain_reply(reply: Any, printer: Any, _cycle: Any) -> None:
    printer.text(_reply(reply)["text/plain"])


def _unless_shown(shell: Any) -> Callable[[Any], None]:
    def show(reply: Any) -> None:
        # The cell that streamed it has shown it; its value is in Out all the same.
        if reply.shown_in != shell.execution_count:
            publish_display_data(_reply(reply))

    return show


def _formatter(show: Show) -> Callable[..., dict[str, str]]:
    def bundle(value: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return show(value).bundle()

    return bundle
