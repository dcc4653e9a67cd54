"""A canary of an agent in a real kernel: conversations are of one version, and the better one is promoted."""

import ast

import pytest

SLOW = """\
%%agent
(import time)
(defagent greeter
  "Greet."
  (time.sleep 0.01)
  (.format "hello {}" message))"""
FAST = SLOW.replace("(time.sleep 0.01)", "(time.sleep 0.001)")
RUDE = FAST.replace("hello {}", "{}")
BROKEN = SLOW.replace('(.format "hello {}" message)', "(/ 1 0)")


RUN = """\
from types import SimpleNamespace
from project_o.api import current
from project_o.deploy.plan import Plan
flow = current()
def canary(version, metrics=None, shadow=False):
    verdict = SimpleNamespace(accepted=True, level="L2", reasons=("judged",))
    run = SimpleNamespace(program=greeter.program, best=version, verdict=verdict, state=None, facts=dict)
    return flow.releases.canary("greeter", run, Plan(share=0.5, calls=4_000, shadow=shadow), metrics)"""


def say(verb):
    return f"get_ipython().run_line_magic('o', {verb!r})"


@pytest.fixture
def served(tmp_path, start_kernel):
    """A slow agent serves; ``fast`` and ``broken`` are versions of it, as a run would accept them."""
    kernel = start_kernel(tmp_path)
    for name, text in (("fast", FAST), ("rude", RUDE), ("broken", BROKEN), ("slow", SLOW)):
        ran = kernel.run(text)
        assert ran.status == "ok", ran.text
        kernel.run(f"{name} = greeter.program")
    kernel.run(RUN)
    assert kernel.run("flow._serve_subject(*flow._subject(greeter), greeter)").status == "ok"
    return kernel


@pytest.mark.measured
def test_the_faster_agent_is_promoted_and_the_agent_becomes_it(served):
    kernel = served
    begun = kernel.run("running = canary(fast)")
    assert begun.status == "ok", begun.text
    ran = kernel.run("for k in range(200):\n    assert str(greeter(f'you {k}')) == f'hello you {k}'")
    assert ran.status == "ok", ran.text
    assert "serves every call from now on" in ran.text
    assert kernel.run("for k in range(20): greeter('again')").status == "ok"
    assert "0.001" in kernel.value("greeter.spec.source")
    assert kernel.value(f"{say('serving greeter')}[0].version") == "'1.0.0'"
    assert kernel.run("%o rollback greeter").status == "ok"
    assert "0.01)" in kernel.value("greeter.spec.source")


def test_one_that_fails_more_often_is_taken_back_and_who_asked_is_told(served):
    kernel = served
    kernel.run("running = canary(broken)")
    ran = kernel.run(
        "failed = 0\n"
        "for k in range(60):\n"
        "    try:\n"
        "        greeter(f'you {k}')\n"
        "    except Exception:\n"
        "        failed += 1\n"
        "print('failed', failed)"
    )
    assert "was taken back" in ran.text
    assert "fails more often" in ran.text
    assert 3 <= int(ran.text.split("failed ")[1].split()[0]) <= 15
    assert kernel.run("for k in range(20): greeter('again')").status == "ok"


def test_a_conversation_stays_with_one_version(served):
    kernel = served
    kernel.run("running = canary(fast)")
    kernel.run("from project_o.agent.beside import conversation")
    kernel.run(
        "split = greeter._beside._split\n"
        "seen = {}\n"
        "for key in map(str, range(6)):\n"
        "    for _ in range(3):\n"
        "        with conversation(key):\n"
        "            before = split.evidence.calls_new\n"
        "            greeter('you')\n"
        "            seen.setdefault(key, []).append(split.evidence.calls_new - before)"
    )
    found = ast.literal_eval(kernel.value("seen"))
    assert all(len(set(sides)) == 1 for sides in found.values()), found
    assert {sides[0] for sides in found.values()} == {0, 1}


def test_a_metric_of_replies_takes_a_faster_agent_back(served):
    kernel = served
    kernel.run("def polite(reply, message):\n    return float(reply == f'hello {message}')")
    begun = kernel.run("running = canary(rude, {'polite': polite})")
    assert begun.status == "ok", begun.text

    ran = kernel.run("for k in range(200): greeter(f'you {k}')")

    assert "was taken back" in ran.text, ran.text
    assert "polite is worse" in ran.text


def test_in_the_shadow_a_faster_agent_is_shown_and_promoted(served):
    kernel = served
    assert kernel.run("running = canary(fast, shadow=True)").status == "ok"

    ran = kernel.run("for k in range(200):\n    assert str(greeter(f'you {k}')) == f'hello you {k}'")

    assert ran.status == "ok", ran.text
    assert "serves every call from now on" in ran.text
    assert len(ast.literal_eval(kernel.value("[turn.message for turn in greeter.turns[-5:]]"))) == 5


def test_in_the_shadow_another_reply_takes_it_back_and_nobody_heard_it(served):
    kernel = served
    kernel.run("running = canary(rude, shadow=True)")

    ran = kernel.run("heard = {str(greeter(f'you {k}'))[:6] for k in range(30)}")

    assert "was taken back" in ran.text, ran.text
    assert "its answers differ" in ran.text
    assert kernel.value("heard") == "{'hello '}"
