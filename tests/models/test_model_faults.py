"""Servers that are slow, broken or silent: one ModelError each, with what happened and what to do, without the key."""

import logging
import pickle
import re
import socket
import traceback

import pytest

from project_o import limits
from project_o.errors import ModelError
from project_o.models import Patience, open_model

TEXT = "Hello from the stand-in: äöü, 漢字, 🙂."
FAULTS = {
    "denied": "answered 401 Unauthorized.*Incorrect API key.*API_KEY",
    "missing": "answered 404 Not Found.*not found.*Check the model's name",
    "down": r"answered 500 Internal Server Error \(3 attempts\): out of memory.*ask again later",
    "gateway": r"answered 502 Bad Gateway \(3 attempts\): an HTML page, 502 Bad Gateway",
    "exhausted": "answered 429 Too Many Requests: quota used up.*in 3600 s",
    "page": "no answer of its protocol: an HTML page.*Check the address",
    "wrongbody": "no answer of its protocol.*application/json",
    "malformed": "no answer of its protocol.*JSON",
    "empty": "answered nothing",
    "filtered": "content filter",
    "cut": "broke off its answer",
    "ends": "broke off its answer",
    "reports": "in the middle of its answer: the graphics card is gone",
    "endless": "longer than",
    "silent": "was silent for 1 s",
    "stops": "was silent for 1 s",
}


def failure(model, messages):
    with pytest.raises(ModelError) as caught:
        model.chat(messages)
    return caught.value


@pytest.mark.parametrize("scene", FAULTS)
def test_each_fault_is_one_error_that_says_what_to_do_and_never_the_key(opened, protocol, said, key, scene, caplog):
    caplog.set_level(logging.DEBUG)
    model = opened(protocol, scene)

    error = failure(model, said())

    assert error.__class__ is ModelError
    assert str(error).startswith(f"{model.name} at http://127.0.0.1:")
    assert re.search(FAULTS[scene], str(error)), str(error)
    assert len(str(error)) < limits.MODEL_WORDS_CHARACTERS_MAX + 400
    shown = "".join(traceback.format_exception(error, chain=True)) + repr(error) + repr(model) + str(vars(error))
    assert key not in shown
    assert key not in caplog.text
    for frame, _ in traceback.walk_tb(error.__traceback__):
        assert key not in repr(frame.f_locals) or frame.f_code.co_filename == __file__


def test_what_passes_is_asked_again(opened, protocol, said, standin):
    for scene, times in (("flaky", 3), ("busy", 2), ("reset", 2)):
        model = opened(protocol, scene)

        assert model.chat(said()).text == TEXT
        assert standin.counts[model.name.partition(":")[2]] == times


@pytest.mark.parametrize(("scene", "times"), [("denied", 1), ("exhausted", 1), ("silent", 1), ("cut", 1), ("down", 3)])
def test_what_does_not_pass_is_not(opened, said, standin, scene, times):
    model = opened("openai", scene)

    failure(model, said())

    name = model.name.partition(":")[2]
    if scene == "silent":
        standin.has_left(name)  # it may hear of the request only when that is given up
    assert standin.counts[name] == times


def test_text_that_was_shown_is_not_shown_again(opened, protocol, said):
    shown = []

    with pytest.raises(ModelError, match="broke off"):
        shown.extend(opened(protocol, "cut").stream(said()))

    assert 0 < len("".join(shown)) < len(TEXT)


def test_an_answer_without_end_is_stopped_and_left(opened, protocol, said, standin):
    model = opened(protocol, "huge", Patience(reply_characters=20_000))

    assert "longer than 20,000 characters" in str(failure(model, said()))
    assert standin.has_left(model.name.partition(":")[2])


def test_an_answer_that_only_trickles_is_stopped(opened, said):
    assert "not finished after 0.5 s" in str(failure(opened("openai", "slow", Patience(reply_seconds=0.5)), said()))


def test_a_silent_server_is_left(opened, protocol, said, standin):
    model = opened(protocol, "stops")

    failure(model, said())

    assert standin.has_left(model.name.partition(":")[2])


def test_a_dead_endpoint_is_said_at_once(said):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        model = open_model("local:m", f"http://127.0.0.1:{taken.getsockname()[1]}/v1", environ={})

        # Nobody listens there, and nobody else can have the port meanwhile.
        assert "cannot be reached" in str(failure(model, said()))
        assert "model_url" in str(failure(model, said()))


def test_a_call_with_unreadable_arguments_is_told_to_the_model_and_not_carried_out(opened, protocol, said, add_tool):
    reply = opened(protocol, "badcall").tools(said(), [add_tool], lambda call: pytest.fail("it was carried out"))

    assert "no valid JSON" in reply.text
    [call] = opened(protocol, "badcall").chat(said(), [add_tool]).calls
    assert (call.name, dict(call.arguments)) == ("add", {})
    assert "no valid JSON" in call.problem


def test_a_call_of_a_tool_that_was_not_offered_is_told_to_the_model(opened, protocol, said, add_tool):
    reply = opened(protocol, "unknowncall").tools(said(), [add_tool], lambda call: pytest.fail("it was carried out"))

    assert reply.text == "there is no tool 'teleport': there are add"


class Refused(list):
    """Hears of calls that are not carried out, and carries out none."""

    def __call__(self, call):
        pytest.fail("it was carried out")

    def refused(self, call, problem):
        self.append((call.name, problem))


@pytest.mark.parametrize(
    ("scene", "name", "problem"), [("badcall", "add", "JSON"), ("unknowncall", "teleport", "no tool")]
)
def test_who_carries_out_calls_hears_of_those_that_are_not(opened, protocol, said, add_tool, scene, name, problem):
    heard = Refused()
    opened(protocol, scene).tools(said(), [add_tool], heard)

    [(called, why)] = heard
    assert called == name
    assert problem in why


def test_rounds_of_tools_are_bounded(opened, said, add_tool, monkeypatch):
    monkeypatch.setattr(limits, "TOOL_STEPS_MAX", 3)
    model, run = opened("openai", "forever"), []

    with pytest.raises(ModelError, match="still asks for tools after 3 rounds"):
        model.tools(said(), [add_tool], lambda call: run.append(call) or "")

    assert len(run) == model.usage().requests == 3


def test_what_a_tool_raises_passes_through(opened, said, add_tool):
    def broken(call):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opened("openai", "tools").tools(said(), [add_tool], broken)


def test_a_redirection_is_not_followed_so_the_key_goes_nowhere_else(opened, protocol, said, standin):
    error = failure(opened(protocol, "moved"), said())

    assert "sends its clients elsewhere: /elsewhere/" in str(error)
    assert not any(asked.path.startswith("/elsewhere") for asked in standin.requests)


def test_embeddings_that_are_not_there_or_not_right(opened, key):
    for provider, scene, words in (
        ("anthropic", "good", "has no embeddings"),
        ("openai", "denied", "401"),
        ("ollama", "missing", "404.*ollama pull"),
        ("openai", "uneven", "2 vectors of lengths"),
    ):
        with pytest.raises(ModelError, match=words) as caught:
            opened(provider, scene).embed(["a", "b"])
        assert key not in "".join(traceback.format_exception(caught.value))


def test_a_key_is_not_pickled(opened):
    from project_o.models.endpoint import Secret

    assert repr(Secret("abc")) == str(Secret("abc")) == "[key]"
    with pytest.raises(TypeError, match="environment"):
        pickle.dumps(Secret("abc"))
