"""Record and replay: what models were asked and answered, in a file; replayed with no key, no network, no library."""

import json
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.errors import ModelError, ModelMissing, UsageError
from project_o.models import Message, Reply, ScriptedModel, Tape, TapedModel, ToolCall, ToolSpec, open_configured
from project_o.values import Usage

ADD = ToolSpec("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}})
HELLO = [Message("user", "hello")]


def taped(tmp_path, model=None, mode="auto", **options):
    return TapedModel(
        model.name if model else "", Tape(tmp_path / "t.jsonl", mode, **options), lambda: model or nobody()
    )


def nobody():
    raise ModelMissing("no model is configured")


def test_a_conversation_with_tools_is_replayed_bit_for_bit_and_asks_nobody(tmp_path):
    script = ScriptedModel([ToolCall("c1", "add", {"a": 2}), "it is four, ünï\n😀"], piece_characters=3)
    first, heard = taped(tmp_path, script), []
    reply = first.tools(HELLO, [ADD], lambda call: str(call.arguments["a"] * 2), heard.append)
    embedded = first.embed(["a", "b"])

    again, heard_again = taped(tmp_path, mode="replay"), []
    assert again.tools(HELLO, [ADD], lambda call: str(call.arguments["a"] * 2), heard_again.append) == reply
    assert heard_again == heard
    assert again.embed(["a", "b"]) == embedded
    assert again.name == "scripted:model"
    assert (again.usage(), first.usage().requests) == (Usage(), 3)


def test_auto_asks_once_and_only_for_what_is_new(tmp_path):
    script = ScriptedModel(lambda messages, _: f"you said {messages[-1].text}")
    model = taped(tmp_path, script)
    assert [model.chat(HELLO).text for _ in range(3)] == ["you said hello"] * 3
    assert model.chat([Message("user", "bye")]).text == "you said bye"
    assert len(script.asked) == 2
    later = taped(tmp_path, script)
    assert later.chat(HELLO).text == "you said hello"
    assert len(script.asked) == 2


def test_record_asks_for_all_and_begins_anew_and_its_answers_come_in_order(tmp_path):
    taped(tmp_path, ScriptedModel(["old"])).chat(HELLO)
    model = taped(tmp_path, ScriptedModel(["one", "two"]), mode="record")
    assert [model.chat(HELLO).text for _ in range(2)] == ["one", "two"]
    replayed = taped(tmp_path, mode="replay")
    assert [replayed.chat(HELLO).text for _ in range(3)] == ["one", "two", "two"]


def test_what_is_not_on_a_replayed_tape_is_one_clear_error(tmp_path):
    taped(tmp_path, ScriptedModel(["x"])).chat(HELLO)
    with pytest.raises(ModelMissing, match=r"'bye'.*not on the tape|not on the tape.*'bye'"):
        taped(tmp_path, mode="replay").chat([Message("user", "bye")])
    with pytest.raises(UsageError, match="there is no tape"):
        Tape(tmp_path / "none.jsonl", "replay")
    with pytest.raises(UsageError, match="auto, record, replay"):
        Tape(tmp_path / "none.jsonl", "rewind")
    with pytest.raises(ModelMissing, match="no model is configured"):
        taped(tmp_path).chat([Message("user", "bye")])


def test_two_models_on_one_tape_are_told_apart(tmp_path):
    for name in ("a", "b"):
        taped(tmp_path, ScriptedModel([f"I am {name}"], name=f"scripted:{name}")).chat(HELLO)
    tape = Tape(tmp_path / "t.jsonl", "replay")
    assert TapedModel("scripted:b", tape, nobody).chat(HELLO).text == "I am b"
    assert TapedModel("scripted:a", tape, nobody).chat(HELLO).text == "I am a"


def test_secrets_are_not_on_the_tape_and_another_secret_finds_the_same_answer(tmp_path):
    def without(secret):
        return lambda text: text.replace(secret, "[secret]")

    script = ScriptedModel(["use hunter2 again"])
    taped(tmp_path, script, redact=without("hunter2")).chat([Message("user", "my key is hunter2")])
    assert "hunter2" not in (tmp_path / "t.jsonl").read_text()
    other = taped(tmp_path, mode="replay", redact=without("swordfish"))
    assert other.chat([Message("user", "my key is swordfish")]).text == "use [secret] again"


def test_an_answer_that_breaks_off_or_is_left_is_not_on_the_tape(tmp_path):
    model = taped(tmp_path, ScriptedModel(["a long answer of many words", ModelError("broke off"), "whole"]))
    stream = model.stream(HELLO)
    next(stream)
    stream.close()
    with pytest.raises(ModelError, match="broke off"):
        model.chat(HELLO)
    assert model.chat(HELLO).text == "whole"
    assert len(Tape(tmp_path / "t.jsonl", "replay")) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"format": 1, "model": "m", "ke', "line 1 cannot be read"),
        ("hello\n", "line 1 cannot be read"),
        ('{"format": 9, "model": "m", "key": "k"}\n', "format 9: update"),
    ],
)
def test_what_is_no_tape_is_refused_and_kept(tmp_path, text, said):
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(UsageError, match=said):
        Tape(tmp_path / "t.jsonl")
    assert (tmp_path / "t.jsonl").read_text() == text


def test_a_tape_that_cannot_be_written_loses_no_answer_that_is_on_it(tmp_path):
    taped(tmp_path, ScriptedModel(["kept"])).chat(HELLO)
    tape = Tape(tmp_path / "t.jsonl")
    tape.path = tmp_path / "no such folder" / "t.jsonl"
    with pytest.raises(ModelError, match="cannot be recorded"):
        TapedModel("scripted:model", tape, lambda: ScriptedModel(["new"])).chat([Message("user", "x")])
    assert taped(tmp_path, mode="replay").chat(HELLO).text == "kept"


def test_threads_that_record_at_the_same_time_lose_nothing(tmp_path):
    tape = Tape(tmp_path / "t.jsonl")
    model = TapedModel("scripted:m", tape, lambda: ScriptedModel(lambda messages, _: messages[-1].text * 500))

    def ask(who):
        for k in range(20):
            model.chat([Message("user", f"{who} {k}")])

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Tape(tmp_path / "t.jsonl", "replay")) == 80


@given(st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none())))
def test_any_exchange_comes_back_as_it_was(tmp_path_factory, message, pieces, arguments):
    folder = tmp_path_factory.mktemp("tape")
    reply = Reply("".join(pieces), (ToolCall("c", "add", arguments),), Usage(1, 2, 3), "m", "tools")

    class Model(ScriptedModel):
        def stream(self, messages, tools=()):
            yield from pieces
            yield reply

    tape = Tape(folder / "t.jsonl")
    first = list(TapedModel("m", tape, Model).stream([Message("user", message)]))
    again = list(TapedModel("m", Tape(folder / "t.jsonl", "replay"), nobody).stream([Message("user", message)]))
    assert again == first == [*pieces, reply]


def test_a_class_without_key_network_or_library_replays_what_a_teacher_recorded(tmp_path, standin, monkeypatch, key):
    """The settings as a notebook has them; the child may open no connection and import no provider's library."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    known = {"model": "openai:good.taped", "model_url": standin.url("openai"), "model_tape": str(tmp_path / "t.jsonl")}
    recorded = open_configured("", {**known, "model_tape_mode": "record"}.__getitem__, str)
    reply = recorded.chat(HELLO)
    assert reply.text

    child = """
import json, socket, sys
def no(*args, **named): raise AssertionError("a connection was opened")
socket.socket.connect = no
from project_o.models import Message, open_configured
known = {"model": "", "model_url": "", "model_tape": sys.argv[1], "model_tape_mode": "replay"}
reply = open_configured("", known.__getitem__, str).chat([Message("user", "hello")])
print(json.dumps([reply.text, reply.model, "openai" in sys.modules, "pydantic_ai" in sys.modules]))
"""
    command = [sys.executable, "-c", child, known["model_tape"]]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env={"PATH": ""})
    assert json.loads(done.stdout) == [reply.text, reply.model, False, False]
    assert key not in (tmp_path / "t.jsonl").read_text()
