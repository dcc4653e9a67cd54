"""The verbs of the history: looking at states, and making new ones of old."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import view
from ..errors import HistoryError, UsageError
from ..limits import REPLAY_CELL_SECONDS
from ..replay import ReplayedCell, default_folder, replay
from ..values import State
from .context import STATE_HELP, Context, Verb, facts
from .listing import Listing, Report

_RELEASES = frozenset({"evolve", "propose", "canary", "promote", "rollback"})


def _history(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    if arguments.limit < 1:
        raise UsageError(f"--limit is {arguments.limit}: it wants a number of states, from 1")
    context.flow.history.flush()
    states = context.flow.history.states(arguments.limit, scope=arguments.name)
    if arguments.name and any(state.kind in _RELEASES for state in states):
        return Listing(states, lambda life: view.show_life(life, arguments.name))
    if arguments.name and not states:
        nothing = f"nothing is recorded of a cell or a program {arguments.name}: `history` alone lists all states"
        return Listing(states, lambda none: view.show_history(none, name=arguments.name, nothing=nothing))
    return Listing(states, view.show_history)


def _show(context: Context, arguments: argparse.Namespace) -> Report:
    history = context.flow.history
    history.flush()
    state = history.resolve(arguments.state)
    return Report(state, lambda item: view.show_state(item, source=_source_of(history, item)))


def _source_of(history: Any, state: State) -> str:
    """The source of the cell that a state is about; "" for a state that is about no cell."""
    cell = dict(state.facts).get("cell")
    return next((item.source for item in history.cells(state) if item.id == cell), "")


def _diff(context: Context, arguments: argparse.Namespace) -> Report:
    context.flow.history.flush()
    diff = context.flow.history.diff(arguments.a, arguments.b, outputs=arguments.outputs)
    # Sources are for people; what serves, and the records of runs, have views of their own.
    sources = tuple(item for item in diff.files if not item.path.endswith(".json"))
    return Report(diff, lambda whole: view.show_history_diff(replace(whole, files=sources)))


def _save(context: Context, arguments: argparse.Namespace) -> Report:
    why = " ".join(arguments.why).strip()
    if not why:
        raise UsageError('say why: save "before the long run"')
    history = context.flow.history
    state = history.save(why)
    if not state.id:  # cells may run on without a history; who asks for a state has to know that there is none
        off = "" if history.enabled else "recording is off, and `%o on` begins it again"
        problem = off or history.where().get("problem") or "`%o where` says how the recording stands"
        raise HistoryError(f"nothing was saved: {problem}")
    return Report(state, view.show_state)


def _restore(context: Context, arguments: argparse.Namespace) -> Report:
    to = Path(arguments.to).expanduser() if arguments.to else None
    return Report(context.flow.restore(arguments.state, to), facts("restored"))


def _fork(context: Context, arguments: argparse.Namespace) -> Report:
    made = context.flow.history.fork(arguments.state, arguments.name)
    return Report(made, lambda one: facts("forked")(one.told()))


def _publish(context: Context, arguments: argparse.Namespace) -> Report:
    made = context.flow.history.publish(arguments.branch, states=arguments.states)
    return Report(made, lambda one: facts("published")(one.told()))


def _forget(context: Context, arguments: argparse.Namespace) -> Report:
    found = context.flow.history.forget(" ".join(arguments.pattern), regex=arguments.regex)
    return Report(found, lambda one: facts("forgotten")(one.told()))


def _replay(context: Context, arguments: argparse.Namespace) -> Listing[ReplayedCell]:
    history = context.flow.history
    history.flush()
    runs = history.executions(history.between(arguments.range))
    if not runs:
        raise UsageError(f"no cell was run in {arguments.range}: `history` lists the states")
    return Listing(replay(runs, default_folder(history.directory), arguments.seconds), show_replay)


def show_replay(cells: Any) -> view.Display:
    """What became of cells that were run again."""
    columns = ("state", "cell", "ended", "why", "seconds", "recorded")
    rows = [
        (
            one.state.short,
            _first_line(one.source),
            one.ended,
            one.why,
            f"{one.seconds:.2f}",
            f"{one.recorded:.2f}",
        )
        for one in cells
    ]
    same = sum(one.ended == "same" for one in cells)
    return view.show_table(f"replay: {same} of {len(rows)} as recorded", columns, rows)


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.splitlines() if line.strip()), "")


STATE_VERBS: dict[str, Verb] = {
    "history": Verb(
        _history,
        "the states, newest first",
        (
            (("name",), {"nargs": "?", "default": None, "help": "only states of this cell or program"}),
            (("--limit",), {"type": int, "default": 50, "help": "how many of them"}),
        ),
    ),
    "show": Verb(_show, "one state", ((("state",), {"nargs": "?", "default": "@", "help": STATE_HELP}),)),
    "diff": Verb(
        _diff,
        "what changed between two states, sources first",
        (
            (("a",), {"help": STATE_HELP}),
            (("b",), {"nargs": "?", "default": None, "help": STATE_HELP}),
            (("--outputs",), {"action": "store_true", "help": "how the outputs differ, too"}),
        ),
    ),
    "save": Verb(_save, "name the state of now", ((("why",), {"nargs": "*", "help": "the reason, in words"}),)),
    "restore": Verb(
        _restore,
        "put notebook and served programs back; variables stay as they are",
        (
            (("state",), {"help": STATE_HELP}),
            (("--to",), {"default": None, "help": "write the notebook to this file instead"}),
        ),
    ),
    "fork": Verb(
        _fork,
        "a notebook of its own that goes on from a state",
        (
            (("state",), {"help": STATE_HELP}),
            (("name",), {"nargs": "?", "default": None, "help": "the new notebook's file, beside this one"}),
        ),
    ),
    "replay": Verb(
        _replay,
        "run the cells of a range again in a fresh kernel, and compare their outputs",
        (
            (("range",), {"help": "A..B: the states after A up to B; ..@ is everything"}),
            (("--seconds",), {"type": float, "default": REPLAY_CELL_SECONDS, "help": "at most this long a cell"}),
        ),
    ),
    "publish": Verb(
        _publish,
        "put what was saved and released onto a branch of your repository",
        (
            (("branch",), {"nargs": "?", "default": None}),
            (("--states",), {"action": "store_true", "help": "the states themselves, as they are recorded"}),
        ),
    ),
    "forget": Verb(
        _forget,
        "take a text out of every state and all else that is kept, for good",
        (
            (("pattern",), {"nargs": "+", "help": "the text, as it stands there"}),
            (("--regex",), {"action": "store_true", "help": "it is a regular expression"}),
        ),
    ),
}
