"""Agents with real model libraries in a real kernel, against a stand-in server on this machine."""

import importlib.util
import threading

import pytest

KEYS = """import os
for name in ('OPENAI', 'ANTHROPIC', 'OLLAMA', 'LOCAL'):
    os.environ[name + '_API_KEY'] = 'test-key-0123456789'"""
AGENT = """%%agent
(deftool add [#^ int a #^ int b] "Adds." (+ a b))
(defagent clerk "You do sums." :tools [add])"""


@pytest.fixture(scope="module")
def talking(kernel, lacking):
    if importlib.util.find_spec("pydantic_ai") is None:
        lacking("llm", "the llm extra is not installed")
    for code in (KEYS, AGENT):
        ran = kernel.run(code)
        assert ran.status == "ok", ran.text
    return kernel


@pytest.fixture
def asking(talking, standin):
    """``asking(provider, scene)``: the configured model is that one."""

    def asking(provider, scene):
        url = standin.url(provider)
        ran = talking.run(f"%config ProjectO.model = '{provider}:{scene}'\n%config ProjectO.model_url = '{url}'")
        assert ran.status == "ok", ran.text
        return talking

    yield asking
    talking.run("%config ProjectO.model = None\n%config ProjectO.model_url = None")


@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "local"])
def test_a_reply_streams_and_tools_are_called(asking, provider):
    kernel = asking(provider, "tools")
    ran = kernel.run('%%agent clerk\n{"a": 20, "b": 22}')
    assert ran.status == "ok", ran.text
    assert ran.outputs[0][0] == "display_data"
    assert "The tools said: 42" in ran.outputs[-1][1]["data"]["text/markdown"]
    states, uses = kernel.value("clerk.turns[-1].states, clerk.turns[-1].uses[0].result").rstrip(")").rsplit(", ", 1)
    assert "'acting'" in states
    assert uses == "'42'"


def test_what_came_before_a_stream_broke_stays_shown(asking):
    kernel = asking("openai", "cut")
    ran = kernel.run("%%agent clerk\nhello")
    assert ran.status == "error"
    assert ran.error.startswith("ModelError")
    assert "Traceback" not in ran.text
    assert kernel.value("clerk.state, bool(clerk.turns[-1].error)") == "('idle', True)"
    shown = [content["data"]["text/plain"] for kind, content in ran.outputs if "data" in content]
    if kernel.value("bool(clerk.turns[-1].reply)") == "True":
        assert "the turn ended here" in shown[-1]


@pytest.mark.parametrize("scene", ["denied", "down", "malformed"])
def test_an_endpoint_that_fails_is_one_clear_error(asking, scene):
    kernel = asking("openai", scene)
    ran = kernel.run("%%agent clerk\nhello")
    assert ran.status == "error"
    assert ran.error.startswith("ModelError"), ran.error
    assert "test-key" not in ran.text
    assert kernel.value("clerk.state") == "'idle'"


def test_ctrl_c_ends_a_silent_endpoint(asking):
    kernel = asking("openai", "silent")
    threading.Timer(2.0, kernel.manager.interrupt_kernel).start()
    ran = kernel.run("%%agent clerk\nhello", timeout=50)
    assert ran.error.startswith("KeyboardInterrupt")
    assert kernel.value("clerk.state, clerk.turns[-1].error") == "('idle', 'interrupted')"
