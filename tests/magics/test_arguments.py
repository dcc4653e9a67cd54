"""A magic's line: expressions as they were written, numbers within bounds."""

import pytest

from project_o.errors import UsageError
from project_o.magics.arguments import count, cut_expression, seconds, words


@pytest.mark.parametrize(
    ("line", "rest", "expression"),
    [
        ("f --inputs (a, -1) --seed 3", "f   --seed 3", "(a, -1)"),
        ('f --inputs (d["x"], k)', "f ", '(d["x"], k)'),
        ('f --seed 1 --inputs "(a, b)"', "f --seed 1 ", "(a, b)"),
        ("f --inputs=sample --trials 3", "f   --trials 3", "sample"),
        ("f --seed 1", "f --seed 1", None),
    ],
)
def test_an_expression_is_taken_as_it_is_written(line, rest, expression):
    left, found = cut_expression(line, "--inputs")

    assert (left.split(), found) == (rest.split(), expression)


def test_a_missing_expression_is_said():
    with pytest.raises(UsageError, match="wants an expression"):
        cut_expression("f --inputs --seed 3", "--inputs")


@pytest.mark.parametrize("text", ["0", "²", "1.5", "-1", "", "101"])
def test_a_count_is_a_whole_number_within_its_bounds(text):
    with pytest.raises(UsageError, match="whole number from 1 to 100"):
        count(text, "--trials", 100)
    assert count("0", "--seed", 9, least=0) == 0


@pytest.mark.parametrize(("text", "value"), [("60s", 60.0), ("2m", 120.0), ("500ms", 0.5), ("1.5", 1.5)])
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("history   # every cell so far, as commits", ["history"]),
        ('save "before # 3"', ["save", "before # 3"]),
        ("save fixes#3", ["save", "fixes#3"]),
        ("# all of it", []),
        ("rollback search # don't worry", ["rollback", "search"]),
    ],
)
def test_a_comment_ends_a_line_of_words(line, expected):
    assert words(line) == expected
