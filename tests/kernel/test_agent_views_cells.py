"""An agent's conversation, memory and metrics in a real kernel: static, script-free, and hostile text is only text."""

import re

import pytest

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\\x1b[31m\\u202ehidden"
DEFINED = f"""%%agent
(setv hostile "{HOSTILE}")
(defmemory notes :embedding "hash")
(deftool shout [#^ str word] "Shout." (+ word hostile))
(defagent keeper "You keep." :tools [shout] :memory notes
  (remember (+ message hostile))
  (when (= message "fail") (raise (ValueError hostile)))
  (use "shout" :word message))"""


@pytest.fixture(scope="module")
def ready(kernel):
    assert kernel.run(DEFINED).status == "ok"
    for message in ("the safe opens with 4711", "tea is at four"):
        assert kernel.run(f"%agent keeper {message}").status == "ok"
    assert kernel.run("%agent keeper fail").status == "error"
    return kernel


def check_static(ran):
    assert ran.status == "ok", ran.text
    assert not re.search(r"<(script|img|a|iframe|style|link|form)\b|\son\w+=", re.sub(r"&lt;.*?&gt;", "", ran.html))
    for text in (ran.text, ran.html):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_the_conversation_has_its_tool_calls_folded(ready):
    ran = ready.run("%agent log keeper")
    check_static(ran)
    assert ran.html.count("<details") == 4, "two turns with one call each"
    assert " open=" not in ran.html
    assert "1 tool call: shout" in ran.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in ran.html
    assert "<script>alert(1)</script>" in ran.text
    assert "the turn ended here" in ran.text
    assert ready.value("[turn.uses[0].name for turn in _[:2]]") == "['shout', 'shout']"


def test_the_memory_says_what_it_would_recall_and_why(ready):
    ran = ready.run("%agent memory keeper")
    check_static(ran)
    assert "tea is at four<script>" in ran.text
    asked = ready.run("%agent memory keeper how does the safe open?")
    check_static(asked)
    first = next(line for line in asked.text.splitlines() if "4711" in line)
    score, words = re.findall(r"\b0\.\d{3}\b", first)
    assert score == words, "hashed words are all that this memory has"
    assert "the, safe" in first
    assert "keeper: the safe opens" in first
    assert ready.value("_.found[0].kept.uses") == "0"


def test_metrics_over_time_are_a_static_picture_with_words(ready):
    ready.run("%agent feedback keeper up good")
    ran = ready.run("%agent metrics keeper")
    check_static(ran)
    assert "<svg" in ran.html
    assert re.search(r'aria-label="time of each turn: 3 turns, 1 failed', ran.html)
    assert "thumbs 1 up, 0 down" in ran.text
    assert "idle thinking acting thinking idle" in ran.text
    assert ready.value("[one.kind for one in _]") == "['turn', 'turn', 'turn', 'feedback']"


def test_the_button_of_a_panel_and_the_magic_keep_the_same(ready):
    ready.run("%agent feedback keeper down too loud")
    ready.run('%config ProjectO.widgets = "on"')
    ready.run("%agent keeper tea?")
    pressed = ready.run(
        "from project_o.magics import panels\n"
        "panel = panels._shown[-1]\n"
        "next(one for one in panel.box.children if type(one).__name__ == 'Text').value = 'too loud'\n"
        "panel.press('Bad')"
    )
    ready.run('%config ProjectO.widgets = "off"')
    assert pressed.status == "ok", pressed.text
    said = ready.value("[(s.kind, s.summary) for s in get_ipython().run_line_magic('o', 'history keeper --limit 9')]")
    assert said.count("('feedback', 'keeper down: too loud')") == 2


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("%agent log", "the conversation with whom"),
        ("%agent log nobody", "no agent is called nobody"),
        ("%agent memory", "whose memory"),
        ("%agent memory bare", "has no memory"),
        ("%agent metrics keeper more", "the metrics of whom"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_error(ready, line, error):
    ready.run('%%agent\n(defagent bare "You are." "yes")')
    ran = ready.run(line)
    assert ran.status == "error"
    assert error in ran.error
