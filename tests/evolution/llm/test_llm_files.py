"""What a model writes about several files: of which file each piece is, and what is said where that is not clear."""

from __future__ import annotations

import pytest

from project_o import limits
from project_o.evolution.llm.answers import Unusable, read
from project_o.evolution.llm.context import Told
from project_o.evolution.task import Task
from project_o.languages import several
from project_o.values import Program, Proposal, Record

MAIN = "import a\n# EVOLVE-BLOCK-START\nx = 1\nshared = 0\n# EVOLVE-BLOCK-END\n"
ZIG = "// EVOLVE-BLOCK-START\r\nconst y = 2;\r\n// EVOLVE-BLOCK-END\r\n"
OTHER = "# EVOLVE-BLOCK-START\nshared = 0\n# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START\nz = 3\n# EVOLVE-BLOCK-END"
FIXED = "secret_free = 5\n"


@pytest.fixture
def program():
    return several.program("p", [("main.py", MAIN), ("lib/k.zig", ZIG), ("other.py", OTHER), ("fixed.py", FIXED)])


def edit(old, new, name=""):
    return f"{name}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


def changed(program, reply):
    answer = read(reply, program)
    texts = {part.name: part.text for part in several.parts(answer.source)}
    return {name: texts[name] for name, text in program.files if texts[name] != text}, answer


@pytest.mark.parametrize(
    "line", ["main.py", "`main.py`", "**main.py**", "### main.py", "File: main.py", "**File:** `main.py`", "./main.py:",
             "- main.py", "// main.py", "main.py\n```python", "```python main.py", "```main.py", "```python:main.py"],
)  # fmt: skip
def test_the_line_before_a_block_names_its_file_as_models_write_it(program, line):
    found, answer = changed(program, f"Why.\n{edit('shared = 0', 'shared = 7', line)}")
    assert found == {"main.py": MAIN.replace("shared = 0", "shared = 7")}
    assert answer.reason == "Why."


def test_one_answer_changes_several_files_each_with_its_own_line_ends(program):
    reply = edit("x = 1", "x = 4\nw = 5", "main.py") + edit("const y = 2;", "const y = 9;") + edit("z = 3", "z = 8")
    found, answer = changed(program, reply)

    assert found["main.py"] == MAIN.replace("x = 1", "x = 4\nw = 5")
    assert found["lib/k.zig"] == ZIG.replace("2", "9")
    assert found["other.py"] == OTHER.replace("z = 3", "z = 8")
    assert answer.form == "edits"


def test_whole_blocks_have_their_files_names_too(program):
    reply = (
        "Here is the new `main.py`:\n```python\nx = 2\n```\nand\n\n```zig lib/k.zig\nconst y = 3;\n```\n"
        "other.py\n```python\n# EVOLVE-BLOCK-START\nshared = 1\n# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START\nz = 0\n"
        "# EVOLVE-BLOCK-END\n```\n"
    )
    found, answer = changed(program, reply)

    assert found == {
        "main.py": MAIN.replace("x = 1\nshared = 0", "x = 2"),
        "lib/k.zig": ZIG.replace("2", "3"),
        "other.py": OTHER.replace("shared = 0", "shared = 1").replace("z = 3", "z = 0"),
    }
    assert answer.form == "whole block"
    only = several.program("p", [("fixed.py", FIXED), ("main.py", MAIN)])
    assert list(changed(only, "```\nx = 2\n```")[0]) == ["main.py"]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (edit("shared = 0", "shared = 1"), "are in main.py and in other.py: write the file's name"),
        (edit("x = 1", "x = 2", "../x"), "for the file '../x', and the program's files are main.py, lib/k.zig"),
        (edit("x = 1", "x = 2", "/etc/passwd"), "for the file '/etc/passwd'"),
        (edit("x = 1", "x = 2", "lib\\main.py"), "for the file 'lib"),
        (edit("", "new = 1", "new.py"), "for the file 'new.py'"),
        (edit("x = 1", "x = 2", "other.py"), "not in other.py: copy them as they are"),
        (edit("x = 9", "x = 2"), "not in the files: copy them as they are"),
        (edit("import a", "import os"), "main.py: the lines that block 1 looks for stand outside"),
        (edit("secret_free = 5", "x = 2"), "fixed.py: the lines that block 1 looks for stand outside"),
        (edit("x = 1", "x = (", "main.py"), "main.py: the new program cannot be read: line 3"),
        (edit("x = 1", "@@@ file: evil.py\nx = 2", "main.py"), "none can be added, removed"),
        (edit("x = 1", "x = 1\n\n@@@ file: evil.py", "main.py"), "none can be added, removed"),
        (edit("x = 1", "# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START", "main.py"), "main.py: the source must keep its 1"),
        (edit("x = 1", "# EVOLVE-BLOCK-START", "main.py") + edit("shared = 0", "", "main.py"), "do not nest"),
        (edit("x = 1", "x = 1", "main.py"), "it changes nothing"),
        ("```python\nx = 2\n```", "does not say of which file"),
        ("fixed.py\n```python\nx = 2\n```", "fixed.py: it has no EVOLVE block"),
        ("../x.py\n```python\nx = 2\n```", "a block of code is for the file '../x.py'"),
        ("main.py\n```\nx = 2\n```\nmain.py\n```\nx = 3\n```", "main.py is written twice"),
        ("other.py\n```\nz = 2\n```", "other.py has 2 EVOLVE blocks, and the answer 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_with_the_files_name(program, reply, told):
    with pytest.raises(Unusable) as caught:
        read(reply, program)
    assert told in str(caught.value)


def test_what_declares_nothing_is_no_proposal_either(program):
    """It is told to the model as any other fault of its text: it ends no run."""
    for of, name in ((program, "main.py"), (Program("p", "python", (("cell.py", MAIN),)), "")):
        with pytest.raises(Unusable, match=r"line 3: parameter x must be a plain number"):
            read(edit("x = 1", "x = f()  # o: 1 2", name), of)


def test_what_may_change_is_shown_before_what_may_not_and_all_of_it_is_bounded():
    most = limits.PROMPT_PROGRAM_CHARACTERS_MAX
    long = "".join(f"# line {k}\n" for k in range(most // 8))
    program = several.program("p", [("main.py", MAIN + long), ("fixed.py", long), ("other.py", OTHER), ("none.py", "")])
    record = Record(Proposal(0, program, (), "human", "baseline"), "baseline", "", None, 1.0)
    system, user = Told(Task(program, lambda _: None), str).messages(record, [record], [])

    assert "No file can be added" in system.text
    assert most < len(user.text) < 1.1 * most
    shown = user.text.partition("# The program to change")[2]
    assert OTHER in shown
    assert MAIN in shown
    assert shown.count("... left out ...") == 2
    fixed = shown.partition("fixed.py\n")[2].partition("```\n\n")[0]
    assert len(fixed) < 100
