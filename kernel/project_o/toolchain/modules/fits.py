"""Whether a build may take the place of another one, in words."""

from __future__ import annotations

import json

from ... import abi
from ...values import NativeFunction
from .build import Built
from .manifest import numbers


def interface_misfit(old: Built, new: Built) -> str:
    """Why those who call the old build could not call the new one; "" where they can."""
    if numbers(new.manifest.version)[0] != numbers(old.manifest.version)[0]:
        return (
            f"version {new.manifest.version} says that it does not fit where {old.manifest.version} is used: the first "
            "number is another one"
        )
    there = {item.name: item for item in new.artifact.interface.functions}
    for function in old.artifact.interface.functions:
        if function.name not in there:
            return f"version {new.manifest.version} does not export {function.name}"
        was, now = _spelled(function), _spelled(there[function.name])
        if was != now or _types(function) != _types(there[function.name]):
            return f"{function.name} was {was} and is {now}"
    return ""


def state_misfit(old: Built, new: Built) -> str:
    """Why the state of the old build would be none for the new one; "" where it is, or where there is none."""
    compilers = old.artifact.toolchain, new.artifact.toolchain
    if not old.layout or (old.layout == new.layout and compilers[0] == compilers[1]):
        return ""
    if not new.layout:
        return "the new build has no state"
    if compilers[0] != compilers[1]:
        return f"it was built by {compilers[0]} and is built by {compilers[1]}, which may lay it out in another way"
    was, now = dict(json.loads(old.layout)["types"]), dict(json.loads(new.layout)["types"])
    for name in was:
        if name not in now:
            return f"its type {name} is gone"
        if was[name] != now[name]:
            return f"its type {name} was `{was[name]}` and is `{now[name]}`"
    return "it is laid out in another way"


def _spelled(function: NativeFunction) -> str:
    taken = ", ".join(abi.spell(kind) for _, kind in function.parameters)
    return f"({taken}) -> {abi.spell(function.result)}"


def _types(function: NativeFunction) -> tuple[object, ...]:
    # How a parameter is called is no part of it, how it is spelled in Python not all of it.
    return (*(kind for _, kind in function.parameters), function.result)
