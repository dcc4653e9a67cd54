"""EVOLVE blocks are enforced: no byte outside them may change, whatever a proposer does."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.languages import tools_for

ZIG = """const a = 1;
// EVOLVE-BLOCK-START
const b = 2;
    // EVOLVE-BLOCK-END
const text = "// EVOLVE-BLOCK-START";
//EVOLVE-BLOCK-START the second
//EVOLVE-BLOCK-END
const c = 3;
"""
PYTHON = 'a = 1\n# EVOLVE-BLOCK-START\nb = 2\n# EVOLVE-BLOCK-END\nc = "# EVOLVE-BLOCK-END"\n'


def test_blocks_are_found_and_strings_are_no_markers() -> None:
    assert [(item.first, item.last) for item in tools_for("zig").blocks(ZIG)] == [(2, 4), (6, 7)]
    assert [(item.first, item.last) for item in tools_for("python").blocks(PYTHON)] == [(2, 4)]
    assert tools_for("zig").blocks("const a = 1;") == ()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("// EVOLVE-BLOCK-START\nconst a = 1;\n", "line 1: .*no EVOLVE-BLOCK-END"),
        ("const a = 1;\n// EVOLVE-BLOCK-END\n", "line 2: .*without EVOLVE-BLOCK-START"),
        ("// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n", "line 2: .*do not nest"),
        ("// evolve-block-start\n", "line 1: .*is not a marker"),
        ("// EVOLVE BLOCK START\n", "line 1: .*is not a marker"),
    ],
)
def test_a_malformed_marker_names_its_line(source: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tools_for("zig").blocks(source)


def test_changes_inside_pass_and_changes_outside_name_their_line() -> None:
    check = tools_for("zig").inside_blocks

    check(ZIG, ZIG.replace("const b = 2;", "const b = 4;\nconst d = 5;"))
    check(ZIG, ZIG.replace("the second\n", "the second\nconst e = 6;\n"))
    with pytest.raises(UsageError, match="line 1: changed outside"):
        check(ZIG, ZIG.replace("const a = 1;", "const a = 2;"))
    with pytest.raises(UsageError, match="line 9: changed outside"):
        check(ZIG, ZIG.replace("const b = 2;", "const b = 2;\n").replace("const c = 3;", "const c = 4;"))
    with pytest.raises(UsageError, match="must keep its 2 EVOLVE blocks, the changed one has 1"):
        check(ZIG, ZIG.replace("//EVOLVE-BLOCK-START the second\n//EVOLVE-BLOCK-END\n", ""))
    check("const a = 1;", "const a = 2;")


@settings(max_examples=500)
@given(data=st.data())
def test_any_edit_outside_is_refused_and_any_edit_inside_passes(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(PYTHON) - 1))
    new = PYTHON[:place] + data.draw(st.sampled_from(["9", "x", "\n", ""])) + PYTHON[place + 1 :]
    start, end = PYTHON.index("b = 2"), PYTHON.index("# EVOLVE-BLOCK-END")
    # Code in a marker's own line is outside too: the newline before the end marker must stay.
    outside = new[:start] != PYTHON[:start] or not new.endswith("\n" + PYTHON[end:])
    check = tools_for("python").inside_blocks

    if new == PYTHON:
        check(PYTHON, new)
    elif outside:
        with pytest.raises(UsageError):
            check(PYTHON, new)
    elif parses(new):
        check(PYTHON, new)
    else:
        with pytest.raises(UsageError, match="not Python"):
            check(PYTHON, new)


def parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
