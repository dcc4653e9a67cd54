"""The verbs of ``%agent`` about what agents proposed, ran and may do: each takes the words behind it.

To add one: a function ``(session, words)``, and its row in ``VERBS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .improve_verbs import VERBS as IMPROVE_VERBS
from .look_verbs import VERBS as LOOK_VERBS
from .macro_verbs import VERBS as MACRO_VERBS
from .session import Session

if TYPE_CHECKING:
    from ..agent.proposals import EditProposal

Verb = Callable[[Session, list[str]], Any]


def proposals(session: Session, words: list[str]) -> Any:
    """``%agent proposals [ID]``: all of them, or one as a diff."""
    from .. import view
    from ..operations.listing import Listing

    desk = _desk(session)
    if words:
        return _shown(desk.get(words[0]))
    head = ("proposal", "status", "agent", "changes", "hunks", "why")
    rows = [(one.id, one.status, one.agent, one.target, _hunks(one), one.why) for one in desk]
    return Listing([*desk], lambda _: view.show_table("proposals", head, rows))


def accept(session: Session, words: list[str]) -> Any:
    """``%agent accept ID [HUNK ...]``"""
    if not words or not all(word.isdigit() for word in words[1:]):
        raise UsageError("accept what? %agent accept ID, or %agent accept ID 1 3 for some of its hunks")
    return _shown(_desk(session).accept(words[0], [int(word) for word in words[1:]]))


def reject(session: Session, words: list[str]) -> Any:
    """``%agent reject ID``"""
    if len(words) != 1:
        raise UsageError("reject what? %agent reject ID")
    return _shown(_desk(session).reject(words[0]))


def undo(session: Session, words: list[str]) -> Any:
    """``%agent undo``"""
    if words:
        raise UsageError("%agent undo takes back the last accepted proposal, and takes no name")
    return _shown(_desk(session).undo())


def approve(session: Session, words: list[str]) -> Any:
    """``%agent approve TOOL``"""
    if len(words) != 1:
        raise UsageError("approve which tool? %agent approve TOOL")
    agents = session.agents
    tool = agents.tool(words[0])
    agents.execution.approve(tool)
    what = "runs in the notebook's own process, as it is now" if tool.unsafe else "is not unsafe: it needed no approval"
    return _facts({"tool": tool.name, "approved": what})


def workflows(session: Session, words: list[str]) -> Any:
    """``%agent runs NAME``: the runs of a workflow."""
    from .. import view
    from ..operations.listing import Listing

    if len(words) != 1:
        raise UsageError("the runs of which workflow? %agent runs NAME")
    runs = _workflow(session, words[0]).runs
    rows = [(run.id, run.ended or "cut off, or under way", len(run.steps), str(dict(run.arguments))) for run in runs]
    return Listing(runs, lambda _: view.show_table("runs", ("run", "how it ended", "steps", "arguments"), rows))


def resume(session: Session, words: list[str]) -> Any:
    """``%agent resume NAME [RUN]``: go on from the last step that ended; the workflow's value."""
    if len(words) not in (1, 2):
        raise UsageError("resume which workflow? %agent resume NAME [RUN]")
    return _workflow(session, words[0]).resume(*words[1:])


VERBS: Mapping[str, Verb] = {
    **IMPROVE_VERBS,
    **LOOK_VERBS,
    **MACRO_VERBS,
    "proposals": proposals,
    "accept": accept,
    "reject": reject,
    "undo": undo,
    "approve": approve,
    "runs": workflows,
    "resume": resume,
}


def fix_message(session: Session, errors: Mapping[int, str]) -> tuple[str, dict[str, Any]]:
    """What an agent is asked about the last error, and the same as arguments: cell, source, error.

    Raises UsageError where no cell has failed.
    """
    if not errors:
        raise UsageError("no cell has failed in this kernel: there is nothing to fix")
    number = max(errors)
    cells = session.shell.history_manager.input_hist_raw  # as they were written: In has magics as calls
    source = str(cells[number]) if number < len(cells) else ""
    message = (
        f"Cell In[{number}] failed. Say in a sentence why, and propose a corrected cell with propose-edit "
        f"(target: In[{number}]) if you have that tool.\n\nThe cell:\n{source}\n\nThe error:\n{errors[number]}"
    )
    return message, {"cell": f"In[{number}]", "source": source, "error": errors[number]}


def _desk(session: Session) -> Any:
    desk = session.agents.proposals
    desk.put_cell = lambda text: session.shell.set_next_input(text, replace=False)
    return desk


def _workflow(session: Session, name: str) -> Any:
    from ..agent.workflows import Workflow

    agents = session.agents
    return Workflow(agents.specs.workflow(name), agents.runs)


def _shown(proposal: EditProposal) -> Any:
    from .. import view
    from ..operations.listing import Report

    return Report(
        proposal,
        lambda one: view.show_diff_text(f"# {one.id} {one.status}{_part(one)}: {one.why}\n{_tried(one)}{one.diff()}"),
    )


def _hunks(one: EditProposal) -> str:
    """How many places it changes, and how many of them were taken where a person did not take all."""
    count = len(one.hunks)
    return f"{len(one.taken)} of {count}" if 0 < len(one.taken) < count else str(count)


def _part(one: EditProposal) -> str:
    return f" in part, hunk {' '.join(map(str, one.taken))} of {len(one.hunks)}" if " of " in _hunks(one) else ""


def _tried(one: EditProposal) -> str:
    """What the trial of a definition came to, as a line."""
    return f"# {one.verdict.reasons[0]}, at level {one.verdict.level}\n" if one.verdict is not None else ""


def _facts(facts: dict[str, Any]) -> Any:
    from .. import view
    from ..operations.listing import Report

    return Report(facts, lambda found: view.show_table("approved", ("what", "value"), [*found.items()]))
