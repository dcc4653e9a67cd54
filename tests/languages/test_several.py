"""Several files as one text: taken apart it is the files again, and only what is in an EVOLVE block may differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import limits
from project_o.errors import UsageError
from project_o.languages import FILES, several, tools_for
from project_o.languages.crossing import pieces
from project_o.languages.meaning import meaning
from project_o.languages.numerals import numerals
from project_o.languages.rewriting import edits
from project_o.values import DATA, FILE_LINE, Program

MAIN = (
    "import helper\n# EVOLVE-BLOCK-START\nlanes = 4  # o: 2 4 8\ndef f(x): return helper.g(x) + 3\n# EVOLVE-BLOCK-END\n"
)
HELPER = (
    "# EVOLVE-BLOCK-START\nlanes = 1  # o: 1 2\nwidth = 5  # o: 5 6\ndef g(x):\n    return x * 7\n# EVOLVE-BLOCK-END"
)
ZIG = "// EVOLVE-BLOCK-START\npub fn h(x: u32) u32 {\n    return x + 2;\n}\n// EVOLVE-BLOCK-END\n"
FIXED = "LIMIT = 9\n"
TOOLS = tools_for(FILES)


def made():
    return several.program(
        "task", [("main.py", MAIN), ("lib/helper.py", HELPER), ("k.zig", ZIG), ("fixed.py", FIXED), ("empty.py", "")]
    )


def of(program: Program, **texts: str) -> str:
    names = {"main": "main.py", "helper": "lib/helper.py", "k": "k.zig", "fixed": "fixed.py"}
    return several.changed(program, {names[name]: text for name, text in texts.items()})


texts = st.text(st.sampled_from("ab \n\r\t@#:ü🙂") | st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=300)
@given(st.lists(texts, min_size=1, max_size=5))
def test_the_text_of_several_files_is_those_files_again(found):
    files = tuple((f"f{k}.txt", text) for k, text in enumerate(found))
    source = Program("p", "files", files).source
    try:
        parts = several.parts(source)
    except UsageError:
        assert any(text.startswith(FILE_LINE) or f"\n{FILE_LINE}" in text for text in found)
        return
    assert tuple((part.name, part.text) for part in parts) == files
    for part in parts:
        assert source[part.start : part.start + len(part.text)] == part.text


@pytest.mark.parametrize("text", [f"{FILE_LINE}x.py\n", f"a\n{FILE_LINE}x.py\nb", f"a\n{FILE_LINE}"])
def test_a_text_that_begins_another_file_is_refused(text):
    with pytest.raises(UsageError):
        several.program("p", [("main.py", MAIN), ("b.txt", text)])


def test_each_file_is_read_in_its_own_language():
    program = made()

    assert [part.language for part in several.parts_of(program)] == ["python", "python", "zig", "python", "python"]
    assert several.languages_of(program) == ("python", "zig")
    lines = program.source.split("\n")
    for block in TOOLS.blocks(program.source):
        assert "EVOLVE-BLOCK-START" in lines[block.first - 1]
        assert "EVOLVE-BLOCK-END" in lines[block.last - 1]
    assert list(TOOLS.signatures(program.source)) == ["f"]
    assert "".join(pieces(FILES, program.source)) == program.source
    assert sorted({item.value for item in numerals(FILES, program.source)}) == [1, 2, 3, 4, 5, 7]
    places = {several.place(FILES, program.source, edit.line) for edit in edits(FILES, program.source)}
    assert {"main.py, line 4", "lib/helper.py, line 5", "k.zig, line 3"} <= places
    for edit in edits(FILES, program.source):
        TOOLS.with_source(program, edit.applied(program.source))
    remarked = of(program, helper=HELPER.replace("return x", "# twice\n    return x"))
    assert meaning(FILES, remarked) == meaning(FILES, program.source)
    assert TOOLS.normalised(remarked) == TOOLS.normalised(program.source)


def test_parameters_of_all_files_are_set_where_they_are_declared():
    program = made()
    assert [(item.name, item.file) for item in program.parameters] == [
        ("lanes", "main.py"), ("lib/helper.py:lanes", "lib/helper.py"), ("width", "lib/helper.py")
    ]  # fmt: skip
    found = TOOLS.with_settings(program, {"lanes": 8, "lib/helper.py:lanes": 2, "width": 6})

    assert dict(found.files)["main.py"] == MAIN.replace("lanes = 4", "lanes = 8")
    assert dict(found.files)["lib/helper.py"] == HELPER.replace("= 1", "= 2").replace("= 5", "= 6")
    with pytest.raises(UsageError, match="no parameter is called depth"):
        TOOLS.with_settings(program, {"depth": 1})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"main": MAIN.replace("import helper", "import os")}, "main.py, line 1: changed outside"),
        ({"fixed": "LIMIT = 10\n"}, "fixed.py: it has no EVOLVE block"),
        ({"helper": HELPER + "\n# more"}, "lib/helper.py, line 6: changed outside"),
        ({"k": ZIG.replace("// EVOLVE-BLOCK-END", "")}, "k.zig"),
        ({"helper": HELPER.replace("    return", f"{FILE_LINE}os.py\n    return")}, "os.py"),
        (
            {"helper": HELPER.replace("    return", f"# EVOLVE-BLOCK-END\n{FILE_LINE}os.py\n# EVOLVE-BLOCK-START\n")},
            "none can be added, removed, renamed",
        ),
    ],
)
def test_what_stands_outside_of_every_block_is_kept(change, told):
    program = made()
    with pytest.raises(UsageError, match=told):
        TOOLS.inside_blocks(program.source, of(program, **change))
    inside = of(program, main=MAIN.replace("+ 3", "+ 4"), helper=HELPER.replace("7", "8"), k=ZIG.replace("2", "9"))
    TOOLS.inside_blocks(program.source, inside)


def test_files_cannot_be_added_removed_or_moved():
    program = made()
    for files in (program.files[:-1], (*program.files, ("x.py", "")), program.files[::-1]):
        with pytest.raises(UsageError, match="none can be added"):
            TOOLS.with_source(program, replace(program, files=files).source)


@pytest.mark.parametrize(
    "name", ["", "/x.py", "../x.py", "a/../x.py", "./x.py", "a//x.py", "a\\x.py", "C:x.py", "x\n.py", " x.py", DATA,
             "x" * (limits.PROGRAM_NAME_CHARACTERS_MAX + 1)],
)  # fmt: skip
def test_names_are_plain_and_lead_nowhere_else(name):
    with pytest.raises(UsageError, match="cannot be the name of a program's file"):
        several.program("p", [("main.py", MAIN), (name, "")])


def test_what_is_too_much_or_says_nothing_is_refused():
    many = [(f"{k}.txt", "") for k in range(limits.PROGRAM_FILES_MAX)]
    for files, told in (
        ([("main.py", MAIN), *many], "files, and may have"),
        ([("main.py", MAIN), ("Main.py", "")], "one name"),
        ([("main.py", MAIN), ("big.txt", "x" * limits.SOURCE_BYTES_MAX)], "bytes, and may have"),
        ([("main.py", "x = 1\n"), ("b.py", "")], "what may change"),
        ([("main.py", MAIN), ("b.py", "# EVOLVE-BLOCK-START\n")], "b.py, line 1"),
        ([("main.py", MAIN), ("b.py", "def")], "b.py, line 1"),
    ):
        with pytest.raises(UsageError, match=told):
            several.program("p", files)
