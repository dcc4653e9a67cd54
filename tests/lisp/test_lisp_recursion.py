"""A recursion that ended in the middle leaves nothing behind: Hy keeps a set of the forms under way."""

import threading

import pytest

from project_o.errors import LispError


def deeper(levels, call):
    return deeper(levels - 1, call) if levels else call()


def test_no_form_is_left_under_way_at_whatever_depth_recursion_ends(notebook):
    import hy

    endless = "(import hy) (setv nested 1) (for [_ (range 600)] (setv nested [nested])) (hy.as-model nested)"
    for levels in range(100, 130):
        with pytest.raises(LispError, match="without end"):
            deeper(levels, lambda: notebook(endless))
        assert len(hy.models._seen) == 0, levels


def test_forms_under_way_are_those_of_the_thread(notebook):
    import hy

    notebook("1")
    x, found = [1], []
    hy.models._seen.add(id(x))
    other = threading.Thread(target=lambda: found.append(hy.as_model(x)))
    other.start()
    other.join()
    hy.models._seen.remove(id(x))
    assert found == [hy.models.List([hy.models.Integer(1)])]


def test_a_quote_in_a_function_works_after_its_cell(notebook):
    notebook("(defn quoted [] '(+ 1 2))")
    assert notebook("(hy.eval (quoted))") == 3
    notebook("(setv again quoted)")
    assert str(notebook.names.again()[0]) == "+"
