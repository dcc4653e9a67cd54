"""The agents' language grows by macros learned from their texts: proved the same, judged on others, taken back."""

from pathlib import Path

import pytest

from project_o.agent.agents import Agents
from project_o.errors import AgentError
from project_o.languages.compressing import anything, expanded, learn, rewritten, size_of
from project_o.languages.forms import parse
from project_o.limits import MACRO_FORMS_MIN

CORPUS = Path(__file__).parent / "corpus"
OFFICE, LIBRARY = ((CORPUS / f"{name}.hy").read_text() for name in ("office", "library"))
SETTINGS = {"seed": 0, "evolution": True}


def forms_of(*texts):
    return [text[form.start : form.end] for text in texts for form in parse(text).forms]


def house(*texts, evolution=True):
    made = Agents(setting=lambda name: {**SETTINGS, "evolution": evolution}.get(name, ""), namespace={})
    for text in texts:
        made.evaluate(text, made.namespace, "<cell>.hy")
    return made


@pytest.fixture(scope="module")
def learned():
    """(the agents, what they learned, the digests before), learned once from 44 forms."""
    made = house(OFFICE, LIBRARY)
    return made, made.macros.learn(seed=0), made.macros.digests()


def test_forms_shrink_by_a_fifth_with_their_definitions_and_nothing_else_does_so():
    forms = forms_of(OFFICE, LIBRARY)
    macros = learn(forms_of(OFFICE), ())
    assert len(forms) >= 40
    assert not any(macro.name in text for macro in macros for text in (OFFICE, LIBRARY))

    before = sum(map(size_of, forms))
    after = sum(size_of(rewritten(form, macros)) for form in forms) + sum(macro.size for macro in macros)
    unseen = sum(size_of(rewritten(form, macros)) for form in forms_of(LIBRARY)) / sum(map(size_of, forms_of(LIBRARY)))

    assert after <= 0.8 * before
    assert unseen <= 0.8
    assert all(expanded(rewritten(form, macros), macros) == expanded(form, ()) for form in forms)


def test_a_control_of_as_many_macros_saves_much_less():
    forms, macros = forms_of(LIBRARY), learn(forms_of(OFFICE), ())
    before, after = sum(map(size_of, forms)), sum(size_of(rewritten(form, macros)) for form in forms)

    by_chance = []
    for seed in range(5):
        drawn = anything(forms_of(OFFICE), (), seed, len(macros))
        by_chance.append(1 - sum(size_of(rewritten(form, drawn)) for form in forms) / before)

    assert 1 - after / before > 2 * sum(by_chance) / len(by_chance)


def test_the_same_texts_teach_the_same():
    assert [item.source for item in learn(forms_of(OFFICE), ())] == [
        item.source for item in learn(forms_of(OFFICE), ())
    ]


def test_the_verdict_is_that_of_forms_that_were_not_learned_from(learned):
    _, found, _ = learned

    assert found.verdict.accepted, found.verdict.reasons
    assert found.verdict.confirmation.low > 1.02
    assert found.held_out > 0.2
    assert found.total > 0.2
    assert found.held_out > 1.5 * found.control
    assert "44 of 44 forms expand, and are compiled, to exactly what they were" in found.verdict.reasons[0]


def test_they_are_taken_up_do_the_same_and_are_taken_back(learned):
    made, found, before = learned
    asked = [("mean_price", [[1.0, 2.0]]), ("top_price", [[]]), ("day_of", ["2026-11-29"]), ("net_of", [119.0, 0.19])]
    answers = [made.namespace[name](*args) for name, args in asked]
    sources = {spec.name: spec.source for spec in made.specs}

    found.accept()
    assert made.specs.tool("take-off").source != sources["take-off"]
    assert "; never below nothing, the till says" in made.specs.tool("take-off").source
    assert answers == [made.namespace[name](*args) for name, args in asked]
    assert made.macros.digests() != before
    assert str(made.agent("desk").answer("Any poem?")) == "Poetry is upstairs."

    made.macros.undo()
    assert made.macros.digests() == before
    assert {spec.name: spec.source for spec in made.specs} == sources
    assert not any(macro.name.replace("-", "_") in made.specs.helpers for macro in found.macros)
    with pytest.raises(AgentError, match="no macros were taken up"):
        made.macros.undo()


def test_no_name_that_exists_is_taken():
    taken = {macro.name for macro in learn(forms_of(OFFICE), ())}

    again = {macro.name for macro in learn(forms_of(OFFICE), {name.replace("-", "_") for name in taken})}
    assert taken
    assert not taken & again


def test_no_macro_names_what_means_something_only_inside_a_form():
    """Else it would take that from wherever it is used."""
    binding = "(deftool a{0} [xs] (+ (len xs) (let [tmp {0}] (* tmp tmp)) (round (/ (sum xs) (len xs)) {0})))"

    macros = learn([binding.format(k) for k in range(1, 9)], ())
    assert macros
    assert not any(word in macro.source.split("`")[1].replace("~h", "") for macro in macros for word in ("xs", "tmp"))


def test_a_keyword_is_never_an_argument():
    texts = [f"(deftool a{k} [xs] (sorted (list (map abs (list xs))) :key {key}))" for k, key in enumerate("abcdef")]

    for macro in learn(texts, ()):
        assert not any(f"({macro.name} :" in rewritten(text, [macro]) for text in texts)


def test_a_comment_inside_a_form_keeps_the_form_as_it_is_written():
    macros = learn(forms_of(OFFICE), ())
    with_comment = (
        '(deftool mean-age [xs]\n  (if (= (len xs) 0) ; nobody\n    "there is nothing yet" (str (round (sum xs) 2))))'
    )

    assert rewritten(with_comment, macros) == with_comment
    assert rewritten(with_comment.replace("; nobody", ""), macros) != with_comment.replace("; nobody", "")


def test_random_macros_are_judged_by_the_same_rule(learned):
    made, found, before = learned
    chance = made.macros.learn(seed=3, control=True)

    assert chance.proposal.operator == "random"
    assert chance.held_out < found.held_out
    if not chance.verdict.accepted:
        with pytest.raises(AgentError, match="not accepted"):
            chance.accept()
    assert made.macros.digests() == before


def test_a_macro_that_says_something_else_is_refused(learned, monkeypatch):
    """The proof is the sandbox's: a rewriting that is not what was learned is seen there, whatever ours says."""
    from project_o.languages import compressing

    made, _, before = learned
    monkeypatch.setattr(compressing, "rewritten", lambda text, _: text.replace("(max xs)", "(min xs)"))
    found = made.macros.learn(seed=0)
    assert not found.verdict.accepted
    assert "top_price" in found.verdict.reasons[-1]

    monkeypatch.setattr(compressing, "expanded", lambda _text, _macros: [])
    found = made.macros.learn(seed=0)
    assert not found.verdict.accepted
    assert "compiled to something else" in found.verdict.reasons[-1]
    assert made.macros.digests() == before


def test_what_changed_meanwhile_is_not_overwritten():
    made = house(OFFICE)
    found = made.macros.learn()
    name = found.forms[0].name
    made.evaluate(f'(deftool {name} [xs] "Another." 1)', made.namespace, "<cell>.hy")

    with pytest.raises(AgentError, match=f"{name} has changed"):
        found.accept()


def test_too_few_forms_and_forbidden_change_are_said():
    few = house("\n".join(forms_of(OFFICE)[: MACRO_FORMS_MIN - 1]))
    with pytest.raises(AgentError, match="fewer than"):
        few.macros.learn()
    with pytest.raises(AgentError, match="%o evolution on"):
        house(OFFICE, evolution=False).macros.learn()
