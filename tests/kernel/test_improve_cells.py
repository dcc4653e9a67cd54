"""``%agent watch``, ``perceive``, ``improve`` in a real kernel: a cell is made worse, and mended without a person."""

from benchmarks.alone.workspace import PYTHON as GOOD


def test_a_cell_that_was_made_worse_is_mended(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run(GOOD)
    kernel.run(
        "lists = [[], [1], [1, 2], [2, 1], [3, 3, 1, 4], [5, 1, 2, 2, 9], [9, 8, 7], [1, 1, 1, 1]]\n"
        "cases = [((values,), longest(values)) for values in lists]"
    )
    begun = kernel.run("%agent watch longest --cases cases")
    assert begun.status == "ok", begun.text
    kernel.run(GOOD.replace(">=", ">"))
    assert "failures" in kernel.run("%agent perceive").text
    assert kernel.value("longest([1, 1, 1])") == "1"

    done = kernel.run("%agent improve --for 50s --seed 1")

    assert done.status == "ok", done.text
    assert "serves every call from now on" in done.text, done.text
    assert kernel.value("longest([1, 1, 1])") == "3"
    assert kernel.run("%o rollback longest").status == "ok"
    assert kernel.value("longest([1, 1, 1])") == "1"
    assert kernel.run("%agent watch longest --cases [(([3, 4],), 2), (([], ), 0)]").status == "ok"
    assert "was never closed" in kernel.run("%agent watch longest --cases [((1,)").error
    assert "watch what?" in kernel.run("%agent watch").error
    assert "no option --fro" in kernel.run("%agent improve --fro 3s").error
