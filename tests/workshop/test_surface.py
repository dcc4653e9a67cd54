"""The public surface is one list. A name is added or taken here and in ``project_o.__all__``, on purpose."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import project_o

SURFACE = [
    "Agent",
    "Sandbox",
    "__version__",
    "evolve",
    "load",
    "load_ipython_extension",
    "rust",
    "unload_ipython_extension",
    "zig",
]


def test_the_surface_is_this_list():
    assert sorted(project_o.__all__) == SURFACE, (
        "the public names changed: if that is meant, change SURFACE in this test, the README and CHANGELOG.md with it"
    )


@pytest.mark.parametrize("name", SURFACE)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(project_o, name)

    if isinstance(value, str):
        return
    text = inspect.getdoc(value) or ""
    assert len(text.split()) >= 3, f"project_o.{name} has no docstring: say what it does, takes, returns and raises"


@pytest.mark.parametrize("name", [name for name in SURFACE if name != "__version__"])
def test_every_public_name_has_types(name):
    value = getattr(project_o, name)
    signature = inspect.signature(value)

    untyped = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is inspect.Parameter.empty and parameter.name != "self"
    ]
    assert not untyped, f"project_o.{name}: annotate {', '.join(untyped)}"


@pytest.mark.parametrize("room", ["evolution", "sandbox", "flow", "toolchain", "deploy", "history"])
def test_a_room_does_not_take_the_place_of_a_public_name(room):
    # Importing a submodule sets it as an attribute of the package, where it hides what __getattr__ would have found.
    code = f"import project_o.{room} as _, project_o as o; print(*map(callable, (o.evolve, o.zig, o.Sandbox)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert answer.stdout.split() == ["True"] * 3, (
        f"after import project_o.{room} a public name is a module: a room must not be called what the surface calls "
        "a function"
    )


def test_completion_offers_the_surface_before_it_is_used_and_the_errors_are_there():
    code = "import sys, project_o as o; print(*dir(o)); assert o.errors.CompileError; print('numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    names, heavy = answer.stdout.splitlines()

    assert set(SURFACE) <= set(names.split())
    assert heavy == "False"


def test_an_unknown_name_is_an_attribute_error_that_lists_the_names():
    with pytest.raises(AttributeError, match="evolve"):
        _ = project_o.evlove


def test_the_version_is_a_release():
    assert all(part.isdigit() for part in project_o.__version__.split(".")), project_o.__version__
