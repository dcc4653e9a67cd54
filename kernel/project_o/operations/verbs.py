"""The table of verbs. A verb takes the context and its arguments and returns a value that shows itself."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from .. import api, toolchain, view
from ..config import effective
from ..errors import UsageError
from .context import Context, Verb, facts
from .doctor import examine
from .helping import asks_help, help_of
from .listing import Listing, Report
from .serving import SERVING_VERBS
from .states import STATE_VERBS


class _Parser(argparse.ArgumentParser):
    """argparse that raises our error instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; usage: {self.format_usage().removeprefix('usage: ').strip()}")


def add_arguments(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """Give a parser the arguments of a verb."""
    for flags, options in verb.arguments:
        parser.add_argument(*flags, **options)


def run_verb(context: Context, words: Sequence[str], prefix: str = "%o") -> Any:
    """Run the verb that the words name; no words list the verbs, and ``--help`` says what a verb takes.

    Raises UsageError for what is no verb, and what the verb raises.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        helps = {f"{prefix} {name}": verb.help for name, verb in VERBS.items()}
        return Report(helps, lambda facts: view.show_table("verbs", ("say", "to"), [*facts.items()]))
    name, *rest = words
    if name not in VERBS:
        known = [verb for verb in VERBS if context.choose is not None or verb not in KERNEL_ONLY]
        raise UsageError(f"{name!r} is no verb of {prefix}: there are {', '.join(known)}")
    parser = _Parser(prog=f"{prefix} {name}", description=VERBS[name].help, add_help=False)
    add_arguments(parser, VERBS[name])
    if asks_help(rest):
        return help_of(parser, parser.prog, VERBS[name].help)
    return VERBS[name].run(context, parser.parse_args(rest))


# --------------------------------------------------------------------------- recording


def _on(context: Context, arguments: argparse.Namespace) -> Report:
    context.flow.history.on()
    return _where(context, arguments)


def _off(context: Context, arguments: argparse.Namespace) -> Report:
    context.flow.history.off()
    return _where(context, arguments)


def _where(context: Context, arguments: argparse.Namespace) -> Report:
    del arguments
    found = context.flow.history.where()
    return Report(found, lambda told: facts("where")({**told, **_sizes(told)}))


def _sizes(told: Mapping[str, Any]) -> dict[str, Any]:
    """The bytes of a store in words, and what can be done about them."""
    large, quota = told["large_outputs"], told["large_outputs_quota"]
    return {
        "bytes": f"{told['bytes']:,}, of them {large:,} of large outputs",
        "large_outputs": "%o clean --outputs lets go of those that no saved or newest state shows" if large else "",
        "large_outputs_quota": f"{quota:,}: over it those that were not used for longest go by themselves",
    }


def _clean(context: Context, arguments: argparse.Namespace) -> Report:
    if arguments.outputs:
        freed = context.flow.history.clean_outputs()
        kept = "all states; in the place of a large output they say its size and hash"
        return Report({"bytes freed": freed, "kept": kept}, facts("large outputs let go of"))
    store = str(context.flow.history.where().get("store", ""))
    freed = context.flow.history.clean()
    found = {"removed": store, "bytes freed": freed, "recording": "off; `%o on` begins a new history"}
    return Report(found, facts("history removed"))


# --------------------------------------------------------------------------- library modules


def _modules(context: Context, arguments: argparse.Namespace) -> Report:
    del context, arguments
    heads = ("module", "version", "", "what it is")
    return Report(api.modules().listing(), lambda rows: view.show_table("library modules", heads, rows))


def _reload(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    return Report(api.modules().reload(arguments.name, fresh=arguments.fresh), facts("reloaded"))


def _unload(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    return Report(api.modules().unload(arguments.name), facts("unloaded"))


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
    found = {"evolution": "on" if setting.value else "off", "set by": setting.source}
    if not setting.value:
        found["runs that were stopped"] = str(context.flow.halt())
        found["canaries that were taken back"] = str(context.flow.releases.hold())
        found["what serves"] = "goes on serving; `%o rollback NAME` takes a version back"
    return Report(found, facts("evolution"))


def _cache(context: Context, arguments: argparse.Namespace) -> Report:
    del context
    found: dict[str, Any] = {"folder": str(toolchain.cache_directory()), "bytes": toolchain.used_bytes()}
    if arguments.clear:
        found["bytes freed"] = toolchain.clear()
    return Report(found, facts("build cache"))


KERNEL_ONLY = ("on", "off", "reload", "unload", "canary", "promote")
"""What speaks of a running kernel: not for a terminal."""

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
    "clean": Verb(
        _clean,
        "remove this notebook folder's history for good",
        ((("--outputs",), {"action": "store_true", "help": "only large outputs that no saved or newest state shows"}),),
    ),
    **STATE_VERBS,
    **SERVING_VERBS,
    "modules": Verb(_modules, "the library modules that load(NAME) finds, and which are loaded"),
    "reload": Verb(
        _reload,
        "build a library module again and let it take over from the loaded one, with its state or a --fresh one",
        ((("name",), {}), (("--fresh",), {"action": "store_true"})),
    ),
    "unload": Verb(_unload, "take a library module and its state out", ((("name",), {}),)),
}
