"""The milestones of language, module, own bugs, and an agent left alone run under papermill, and end as they say."""

from __future__ import annotations

import re


def test_the_agents_language_grows_and_shrinks_again(printed):
    text = printed("milestones/01_its_own_language.ipynb")

    held_out, chance, total = map(
        int,
        re.search(r"held out: (\d+)% shorter, at random (\d+)%; all forms, definitions counted: (\d+)%", text).groups(),
    )
    assert held_out >= 20
    assert total >= 20
    assert held_out > chance
    assert "44 of 44 forms expand, and are compiled, to exactly what they were" in text
    assert "the same answers: True" in text
    assert "(learned-if-1 a b (- a b)" in text
    assert "every digest as before: True" in text


def test_a_zig_module_serves_the_name_of_a_python_function(printed):
    text = printed("milestones/02_a_new_zig_module.ipynb", trials=2)

    assert "control: rejected" in text
    assert "0 differences from the Python function on 10,000 random inputs" in text
    assert "zig serves the name, the same answer: True" in text
    assert float(re.search(r"lower bound: (\S+) times", text)[1]) > 1.02
    assert "ZeroDivisionError: float division by zero" in text
    assert "smooth has no translation: line 2: np.convolve of whole arrays" in text
    assert "<python function spread(xs" in text
    assert "as written>" in text


def test_faults_in_our_own_functions_are_repaired_and_more_of_them_than_by_chance(printed):
    text = printed("milestones/05_its_own_bugs.ipynb", count=3)

    found, repaired, over_fitted = map(
        int, re.search(r"found (\d), repaired (\d), over-fitted (\d) of 3", text).groups()
    )
    by_chance = int(re.search(r"by chance repaired (\d)", text)[1])
    assert found == 3
    assert repaired >= 2
    assert over_fitted == 0
    assert repaired > by_chance
    assert "failures of our own text: 0" in text
    assert int(re.search(r"by heart: passes 100 of 100 cases, wrong on (\d+) of 200", text)[1]) > 100


def test_an_agent_left_alone_finds_what_was_made_worse_and_mends_it(printed):
    text = printed("milestones/06_left_alone.ipynb", seed=2)

    assert "nothing is wrong, nothing is done: True" in text
    drawn, perceived = re.search(r"drawn: (\w+) - perceived as the worst: \S*?(\w+)\n", text).groups()
    assert perceived == drawn
    assert int(re.search(rf"{drawn}: recovered (\d+)%", text)[1]) > 50
    assert int(re.search(r"by chance: (\d+) of 300", text)[1]) < 200
