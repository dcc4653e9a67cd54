"""Tasks for the evolution tests: real Zig, the real compiler, the real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from project_o import sandbox, toolchain
from project_o.evolution import Task
from project_o.languages import tools_for
from project_o.values import Artifact, Program

MakeTask = Callable[..., Task]


def build(program: Program) -> Artifact:
    """As the flow builds."""
    found = tools_for(program.language).signatures(program.source)
    return toolchain.build(program, names={name: (s.parameters, s.doc, s.line) for name, s in found.items()})


@pytest.fixture(scope="session")
def box() -> Any:
    with sandbox.Sandbox() as opened:
        yield opened


@pytest.fixture
def make_task(box: Any) -> MakeTask:
    """(source, **fields of Task) -> Task."""

    def make(source: str, **fields: Any) -> Task:
        return Task(tools_for("zig").program("kernel", source), build, box, **fields)

    return make
