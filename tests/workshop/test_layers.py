"""Arrows point down: which room may import which. The table below is the design's picture of the rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROWS: tuple[frozenset[str], ...] = (
    frozenset({"values", "population", "lives", "limits", "errors", "config", "abi", "hidden"}),
    frozenset({"sandbox", "observe"}),
    frozenset({"languages", "toolchain", "models", "lisp"}),
    frozenset({"evolution", "history", "deploy", "runtimes"}),
    frozenset({"evolving", "releases"}),
    frozenset({"flow"}),
    frozenset({"agent", "view"}),
    frozenset({"api", "replay", "running"}),
    frozenset({"operations"}),
    frozenset({"kernel", "cli", "magics", "channel"}),
    frozenset({"__main__"}),
)
"""From bottom to top. A room imports rooms of lower rows, never a neighbour."""

WITHIN_THE_BOTTOM = {
    "values": frozenset(),
    "population": frozenset({"values"}),
    "lives": frozenset(),
    "limits": frozenset(),
    "hidden": frozenset(),
    "errors": frozenset({"values"}),
    "config": frozenset({"values", "errors", "limits"}),
    "abi": frozenset({"values", "errors", "limits"}),
}
"""The bottom row is made of single files, and among those, too, the arrows have one direction."""

VIEW_MAY_IMPORT = ROWS[0]
"""Values in, displays out: whoever wants to show more turns it into values first."""

FRONT_ENDS = frozenset({"IPython", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "jupyter_server",
                        "jupyterlab", "nbclient", "notebook", "papermill", "traitlets", "comm"})  # fmt: skip
WITH_A_FRONT_END = frozenset({"kernel", "cli", "magics", "channel", "replay", "running"})
"""Everything else runs in a plain script. ``replay`` starts a kernel, ``running`` is an engine of papermill."""
WIDGETS = ("project_o.view.panels", "ipywidgets")
"""The one place below that makes widgets, inside the functions that show them."""

HEAVY = ("numpy", "optuna", "git", "hy", "pydantic_ai", "IPython", "cffi", "tree_sitter", "elftools", "nbformat",
         "ipywidgets", "plotly")  # fmt: skip


def room_of(module: str) -> str:
    """The room of a dotted name: ``project_o.history.refs`` is in ``history``; the package itself is ''."""
    return module.split(".")[1] if module.count(".") else ""


def row_of(room: str) -> int:
    return next((k for k, row in enumerate(ROWS) if room in row), -1)


def may_import(room: str, other: str) -> bool:
    if room == other or room == "":
        return True
    if room in WITHIN_THE_BOTTOM:
        return other in WITHIN_THE_BOTTOM[room]
    if room == "view":
        return other in VIEW_MAY_IMPORT
    return row_of(other) < row_of(room)


def wrong_arrows(sources) -> list[str]:
    """Every import that does not point down, as a line that says how to mend it."""
    known = frozenset(source.name for source in sources)
    found = []
    for source in sources:
        room = room_of(source.name)
        for imported, line in source.imports(known):
            if imported.split(".")[0] != "project_o":
                continue
            other = room_of(imported)
            if other and not may_import(room, other):
                found.append(
                    f"{source.place}:{line}: {room} imports {other}, which is not below it: take what is needed as a "
                    f"value or a callable, or move it to a lower row"
                )
    return found


def front_end_imports(sources) -> list[str]:
    """Every import of a front end below the top row."""
    return [
        f"{source.place}:{line}: {imported} in an engine room: move it to magics, kernel or cli"
        for source in sources
        if room_of(source.name) not in WITH_A_FRONT_END
        for imported, line in source.imports()
        if imported.split(".")[0] in FRONT_ENDS
        and not (source.name.startswith(WIDGETS[0]) and imported.split(".")[0] == WIDGETS[1])
    ]


def test_every_room_has_a_row(sources):
    rooms = {room_of(source.name) for source in sources} - {""}

    unknown = sorted(room for room in rooms if row_of(room) < 0)
    assert not unknown, f"{unknown}: give the new room its row in ROWS of this test, and in the design's picture"


def test_arrows_point_down(sources):
    found = wrong_arrows(sources)

    assert not found, "\n".join(found)


def test_engine_rooms_know_no_front_end(sources):
    found = front_end_imports(sources)

    assert not found, "\n".join(found)


def loaded_after(statement: str, names: tuple[str, ...]) -> list[str]:
    code = f"import sys; {statement}; print(*[name for name in {names!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return answer.stdout.split()


def test_import_is_light():
    found = loaded_after("import project_o", HEAVY)

    assert not found, f"import project_o loads {found}: import them inside the functions that use them"


def test_import_prints_nothing():
    answer = subprocess.run([sys.executable, "-c", "import project_o"], capture_output=True, text=True, check=True)

    assert (answer.stdout, answer.stderr) == ("", "")


@pytest.mark.parametrize(
    "room", ["sandbox", "toolchain", "languages", "evolution", "history", "deploy", "flow", "view"]
)
def test_engine_rooms_load_without_a_front_end(room):
    found = loaded_after(f"import project_o.{room}", ("IPython", "ipykernel", "jupyter_client"))

    assert not found, f"import project_o.{room} loads {found}: engine rooms run in a plain script"


# ------------------------------------------------------------------------------- the rules themselves


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("evolution/a.py", "from ..history import refs", "evolution imports history"),
        ("evolution/a.py", "def f():\n    from project_o import flow", "evolution imports flow"),
        ("sandbox/a.py", "import project_o.toolchain.build", "sandbox imports toolchain"),
        ("view/a.py", "from ..evolution.run import Run", "view imports evolution"),
        ("view/a.py", "from .. import observe", "view imports observe"),
        ("values.py", "from .errors import UsageError", "values imports errors"),
        ("flow.py", "from . import magics", "flow imports magics"),
        ("history/__init__.py", "from ..deploy import Registry", "history imports deploy"),
    ],
)
def test_a_wrong_arrow_is_found(make_source, sources, name, text, fault):
    found = wrong_arrows([*sources_without(sources, name), make_source(name, text)])

    assert any(fault in line for line in found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("evolution/a.py", "from ..toolchain import build\nfrom .. import limits\nfrom .task import Task"),
        ("view/a.py", "from ..values import Record\nfrom . import style"),
        ("magics/a.py", "from .. import view\nfrom ..flow import Flow"),
        ("errors.py", "from .values import Diagnostic"),
        ("sandbox/__init__.py", "from .box import Sandbox"),
    ],
)
def test_a_right_arrow_is_not(make_source, name, text):
    assert wrong_arrows([make_source(name, text)]) == []


def test_a_front_end_is_found_inside_a_function(make_source):
    found = front_end_imports([make_source("history/a.py", "def f():\n    from IPython import get_ipython")])

    assert len(found) == 1
    assert front_end_imports([make_source("magics/a.py", "from IPython import get_ipython")]) == []


def sources_without(sources, name):
    return [source for source in sources if not source.place.endswith(f"project_o/{name}")]
