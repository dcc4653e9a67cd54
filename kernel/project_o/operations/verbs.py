"""The table of verbs. A verb takes the context and its arguments and returns a value that shows itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from .. import api, toolchain, view
from ..config import effective
from ..errors import UsageError
from ..flow import Flow
from ..values import State
from .doctor import examine
from .listing import Listing, Report


@dataclass(frozen=True, slots=True)
class Context:
    """Where a verb works: a flow with its history, and what ``%config`` has set."""

    flow: Flow
    chosen: Mapping[str, Any]
    found_by: str
    choose: Callable[[str, Any], None] | None = None
    """Sets an option for the life of the kernel; None where there is no kernel."""


Argument = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it does in a line, its arguments, the function that does it."""

    run: Callable[[Context, argparse.Namespace], Any]
    help: str
    arguments: tuple[Argument, ...] = ()


class _Parser(argparse.ArgumentParser):
    """argparse that raises our error instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; usage: {self.format_usage().removeprefix('usage: ').strip()}")


def add_arguments(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """Give a parser the arguments of a verb."""
    for flags, options in verb.arguments:
        parser.add_argument(*flags, **options)


def run_verb(context: Context, words: Sequence[str], prefix: str = "%o") -> Any:
    """Run the verb that the words name; no words list the verbs.

    Raises UsageError for what is no verb, and what the verb raises.
    """
    if not words:
        helps = {f"{prefix} {name}": verb.help for name, verb in VERBS.items()}
        return Report(helps, lambda facts: view.show_table("verbs", ("say", "to"), [*facts.items()]))
    name, *rest = words
    if name not in VERBS:
        known = [verb for verb in VERBS if context.choose is not None or verb not in KERNEL_ONLY]
        raise UsageError(f"{name!r} is no verb of {prefix}: there are {', '.join(known)}")
    parser = _Parser(prog=f"{prefix} {name}", description=VERBS[name].help, add_help=False)
    add_arguments(parser, VERBS[name])
    return VERBS[name].run(context, parser.parse_args(rest))


def _facts(name: str) -> Callable[[Mapping[str, Any]], view.Display]:
    return lambda facts: view.show_table(name, ("what", "value"), [item for item in facts.items() if item[1] != ""])


# --------------------------------------------------------------------------- recording


def _on(context: Context, arguments: argparse.Namespace) -> Report:
    context.flow.history.on()
    return _where(context, arguments)


def _off(context: Context, arguments: argparse.Namespace) -> Report:
    context.flow.history.off()
    return _where(context, arguments)


def _where(context: Context, arguments: argparse.Namespace) -> Report:
    del arguments
    return Report(context.flow.history.where(), _facts("where"))


def _clean(context: Context, arguments: argparse.Namespace) -> Report:
    del arguments
    store = str(context.flow.history.where().get("store", ""))
    freed = context.flow.history.clean()
    facts = {"removed": store, "bytes freed": freed, "recording": "off; `%o on` begins a new history"}
    return Report(facts, _facts("history removed"))


# --------------------------------------------------------------------------- history


def _history(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    context.flow.history.flush()
    return Listing(context.flow.history.states(arguments.limit, scope=arguments.name), view.show_history)


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
    diff = context.flow.history.diff(arguments.a, arguments.b)
    # Sources are for people; what serves, and the records of runs, have views of their own.
    sources = tuple(item for item in diff.files if not item.path.endswith(".json"))
    return Report(diff, lambda whole: view.show_history_diff(replace(whole, files=sources)))


def _save(context: Context, arguments: argparse.Namespace) -> Report:
    why = " ".join(arguments.why).strip()
    if not why:
        raise UsageError('say why: %o save "before the long run"')
    return Report(context.flow.history.save(why), view.show_state)


def _restore(context: Context, arguments: argparse.Namespace) -> Report:
    to = Path(arguments.to).expanduser() if arguments.to else None
    return Report(context.flow.restore(arguments.state, to), _facts("restored"))


# --------------------------------------------------------------------------- serving


def _serving(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    return Listing(context.flow.serving(arguments.name), view.show_serving)


def _rollback(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    return Listing((context.flow.rollback(arguments.name, arguments.state),), view.show_serving)


# --------------------------------------------------------------------------- library modules


def _modules(context: Context, arguments: argparse.Namespace) -> Report:
    del context, arguments
    heads = ("module", "version", "", "what it is")
    return Report(api.modules().listing(), lambda rows: view.show_table("library modules", heads, rows))


def _reload(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    return Report(api.modules().reload(arguments.name, fresh=arguments.fresh), _facts("reloaded"))


def _unload(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    return Report(api.modules().unload(arguments.name), _facts("unloaded"))


# --------------------------------------------------------------------------- the installation


def _doctor(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    del arguments
    return Listing(examine(context.flow.history, context.chosen), view.show_checks)


def _config(context: Context, arguments: argparse.Namespace) -> Report:
    del arguments
    settings = effective(context.chosen)
    rows = [(name, setting.value, setting.source) for name, setting in settings.items()]
    return Report(settings, lambda _: view.show_table("settings", ("option", "value", "from"), rows))


def _evolution(context: Context, arguments: argparse.Namespace) -> Report:
    if arguments.switch is not None:
        if context.choose is None:
            raise UsageError(
                "evolution is switched for a kernel: say %o evolution off in a notebook, or for all of this folder's "
                "write `evolution = false` into project-o.toml, or set PROJECT_O_EVOLUTION=off"
            )
        context.choose("evolution", arguments.switch == "on")
        context = replace(context, chosen={**context.chosen, "evolution": arguments.switch == "on"})
    setting = effective(context.chosen)["evolution"]
    facts = {"evolution": "on" if setting.value else "off", "set by": setting.source}
    if not setting.value:
        facts["runs that were stopped"] = str(context.flow.halt())
        facts["what serves"] = "goes on serving; `%o rollback NAME` takes a version back"
    return Report(facts, _facts("evolution"))


def _cache(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    facts: dict[str, Any] = {"folder": str(toolchain.cache_directory()), "bytes": toolchain.used_bytes()}
    if arguments.clear:
        facts["bytes freed"] = toolchain.clear()
    return Report(facts, _facts("build cache"))


KERNEL_ONLY = ("on", "off", "rollback", "save", "reload", "unload")
"""What speaks of a running kernel: not for a terminal."""

STATE_HELP = "a commit id or its first digits, @ for the newest state, @~2 for the one two before, or a saved name"
VERBS: dict[str, Verb] = {
    "on": Verb(_on, "record cells (again)"),
    "off": Verb(_off, "stop recording in this kernel"),
    "where": Verb(_where, "where the history is, and how this notebook was found"),
    "doctor": Verb(_doctor, "what is installed, what holds, what to do"),
    "config": Verb(_config, "every setting, and where its value comes from"),
    "evolution": Verb(
        _evolution,
        "on or off: whether anything may change itself in this kernel",
        ((("switch",), {"nargs": "?", "choices": ("on", "off"), "default": None}),),
    ),
    "cache": Verb(
        _cache,
        "the build cache: where it is, how large; --clear empties it",
        ((("--clear",), {"action": "store_true"}),),
    ),
    "clean": Verb(_clean, "remove this notebook folder's history for good"),
    "history": Verb(
        _history,
        "the states, newest first",
        (
            (("name",), {"nargs": "?", "default": None, "help": "only states of this cell or program"}),
            (("--limit",), {"type": int, "default": 50}),
        ),
    ),
    "show": Verb(_show, "one state", ((("state",), {"nargs": "?", "default": "@", "help": STATE_HELP}),)),
    "diff": Verb(
        _diff,
        "what changed between two states",
        ((("a",), {"help": STATE_HELP}), (("b",), {"nargs": "?", "default": None, "help": STATE_HELP})),
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
    "serving": Verb(_serving, "what serves each name", ((("name",), {"nargs": "?", "default": None}),)),
    "rollback": Verb(
        _rollback,
        "serve the version before this one (said again: this one), or that of a state",
        ((("name",), {}), (("state",), {"nargs": "?", "default": None, "help": STATE_HELP})),
    ),
    "modules": Verb(_modules, "the library modules that load(NAME) finds, and which are loaded"),
    "reload": Verb(
        _reload,
        "build a library module again and let it take over from the loaded one, with its state or a --fresh one",
        ((("name",), {}), (("--fresh",), {"action": "store_true"})),
    ),
    "unload": Verb(_unload, "take a library module and its state out", ((("name",), {}),)),
}
