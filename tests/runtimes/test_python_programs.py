"""A function's program: its text and lines, its parameters, its digest."""

import numpy as np
import pytest

from project_o.errors import UsageError


def program(notebook, runtime, source, name="f"):
    return runtime.subject(notebook.run(source)[name]).program


def test_only_what_belongs_to_the_function_is_its_text(notebook, runtime):
    found = program(
        notebook,
        runtime,
        """
        import math
        LANES = 8  # o: 4 8 16
        OTHER = 3  # o: 1 3
        print("", end="")

        @(lambda g: g)
        def f(x):
            # why
            return LANES * x  # o

        g = 1
        """,
    )

    assert found.source == "LANES = 8  # o: 4 8 16\n\n\n\n\ndef f(x):\n    # why\n    return LANES * x  # o\n"
    assert [(item.name, item.value, item.domain) for item in found.parameters] == [("LANES", 8, (4, 8, 16))]


def test_a_declared_constant_that_was_bound_anew_is_data(notebook, runtime):
    names = notebook.run("LANES = 8  # o: 4 8 16\ndef f(x):\n    return LANES * x\n")
    names["LANES"] = 5
    found = runtime.subject(names["f"]).program

    assert found.parameters == ()
    assert '"LANES": "int"' in found.files[1][1]


def test_functions_of_one_cell_may_have_parameters_of_one_name(notebook, runtime):
    source = "def f(x):\n    n = 1  # o: 1 2\n    return n\ndef g(x):\n    n = 3  # o: 3 4\n    return n\n"

    assert [item.value for item in program(notebook, runtime, source).parameters] == [1]
    assert [item.value for item in program(notebook, runtime, source, "g").parameters] == [3]


def test_parameters_inside_and_among_the_default_values(notebook, runtime):
    found = program(
        notebook,
        runtime,
        """
        def f(
            x,
            lanes=8,  # o: 4 8
            *,
            fast=True,  # o: true false
        ):
            block = 2  # o: 1..4
            return x * lanes * block * fast
        """,
    )

    assert [(item.name, item.value) for item in found.parameters] == [("lanes", 8), ("fast", True), ("block", 2)]


def test_blocks_around_the_function_bind_it_and_those_of_others_do_not(notebook, runtime):
    source = """
        # EVOLVE-BLOCK-START
        def other(): return 1
        # EVOLVE-BLOCK-END

        def f(x):
            # EVOLVE-BLOCK-START
            y = x + 1
            # EVOLVE-BLOCK-END
            return y
    """
    found = program(notebook, runtime, source)

    assert found.source.count("EVOLVE-BLOCK") == 2
    assert program(notebook, runtime, source, "other").source.startswith("# EVOLVE-BLOCK-START\ndef other")


def test_a_bad_declaration_names_its_line(notebook, runtime):
    names = notebook.run("def f(x):\n    n = 3  # o: 1 2\n    return n\n")
    with pytest.raises(UsageError, match="line 2"):
        runtime.subject(names["f"])


def test_the_digest_covers_text_and_data_the_cells_digest_the_text(notebook, runtime):
    names = notebook.run(
        "import numpy as np\nW = np.ones(5000)\nK = 1\ndef g(): return 1\ndef f():\n    return W[K], g()\n"
    )
    first = runtime.subject(names["f"]).program
    again = runtime.subject(names["f"]).program
    names["W"] = names["W"].copy()
    same = runtime.subject(names["f"]).program
    names["W"][7] = 2.0
    other_array = runtime.subject(names["f"]).program
    names["K"] = 2
    other_number = runtime.subject(names["f"]).program

    assert first == again == same
    assert len({item.digest for item in (first, other_array, other_number)}) == 3
    assert len({item.cell_digest for item in (first, other_array, other_number)}) == 1
    assert first.with_data_of(other_number) == other_number


def test_data_is_described_but_not_written_down(notebook, runtime):
    found = program(notebook, runtime, "SECRET = 'correct horse'\nN = 123456789\ndef f():\n    return SECRET, N\n")

    assert "correct horse" not in str(found.files)
    assert "123456789" not in str(found.files)


def test_a_string_of_several_lines_in_an_indented_function_is_refused(notebook, runtime):
    names = notebook.run("def make():\n    def f():\n        return '''a\n    b'''\n    return f\nf = make()\n")
    with pytest.raises(UsageError, match="cannot be moved to the left margin"):
        runtime.subject(names["f"])


def test_globals_are_those_of_the_moment(notebook, runtime, box):
    names = notebook.run("import numpy as np\nK = np.ones(5000)\ndef f():\n    return K.sum()\n")
    artifact = runtime.build(runtime.subject(names["f"]).program)
    names["K"] = np.zeros(5000)
    names["f"].__globals__["K"][:] = 9.0
    with runtime.opener(box)(artifact) as job:
        assert job.ask("f").value == 5000.0
