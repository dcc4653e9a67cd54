"""Traffic recorded on the stand-in in all protocols, and replayed bit for bit with no key, no network, no library."""

import json
import socket
import sys
import types

import pytest

from project_o.errors import ModelError, ModelMissing, UsageError
from project_o.models import Message, RecordingModel, ReplayedModel, Reply, ScriptedModel, Tape, ToolCall, open_model
from project_o.models.fallback import FallbackModel


def refuse(*args, **named):
    raise AssertionError("a socket was opened")


def hide(text):
    return text.replace("swordfish", "[redacted 01234567]")


def test_what_was_said_is_said_again_bit_for_bit(protocol, opened, said, add_tool, key, tmp_path, monkeypatch):
    tape = Tape(tmp_path / "t.jsonl", hide)
    model, other = (RecordingModel(opened(protocol, scene), tape) for scene in ("tools", "split"))
    heard = []
    first = model.tools(said("add, swordfish"), [add_tool], lambda call: "42", heard.append)
    pieces = [list(other.stream(said("one more"))) for _ in range(2)]
    text = (tmp_path / "t.jsonl").read_text()
    assert "swordfish" not in text
    assert key not in text
    monkeypatch.setattr("os.environ", {})
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)

    again = ReplayedModel(Tape(tmp_path / "t.jsonl", hide))
    heard_again = []
    assert again.tools(said("add, swordfish"), [add_tool], lambda call: "42", heard_again.append) == first
    assert heard_again == heard
    assert [list(again.stream(said("one more"))) for _ in range(2)] == pieces
    assert again.name == model.name


def test_embeddings_and_errors_are_replayed_too(opened, said, tmp_path):
    tape = Tape(tmp_path / "t.jsonl")
    vectors = RecordingModel(opened("openai", "good"), tape).embed(["a", "b"])
    with pytest.raises(ModelError) as failed:
        RecordingModel(opened("openai", "silent"), tape).chat(said())

    again = ReplayedModel(Tape(tmp_path / "t.jsonl"))
    assert again.embed(["a", "b"]) == vectors
    with pytest.raises(ModelError) as failed_again:
        again.chat(said())
    assert str(failed_again.value) == str(failed.value)
    with pytest.raises(ModelError, match=r"has no answer to this request \('other'\)"):
        again.chat(said("other"))


def test_a_cell_that_is_run_again_hears_the_last_answer(said, tmp_path):
    model = RecordingModel(ScriptedModel(["first", "second"]), Tape(tmp_path / "t.jsonl"))
    assert [model.chat(said()).text for _ in range(2)] == ["first", "second"]
    again = open_model(f"replay:{tmp_path / 't.jsonl'}")
    assert [again.chat(said()).text for _ in range(3)] == ["first", "second", "second"]


def test_a_cache_asks_once_and_costs_nothing_the_second_time(said, tmp_path):
    scripted = ScriptedModel(["first", "second"])
    for _ in range(2):
        model = RecordingModel(scripted, Tape(tmp_path / "t.jsonl"), cache=True)
        assert model.chat(said()).text == "first"
    assert len(scripted.asked) == 1
    assert model.usage().requests == 0
    assert model.chat(said("other")).text == "second"


def test_calls_of_tools_are_on_the_tape(said, add_tool, tmp_path):
    script = [ToolCall("", "add", {"a": 1, "b": [1.5, None, "é"]}), "done"]
    tape = Tape(tmp_path / "t.jsonl")
    first = RecordingModel(ScriptedModel(script), tape).tools(said(), [add_tool], lambda call: str(call.arguments))
    again = ReplayedModel(Tape(tmp_path / "t.jsonl")).tools(said(), [add_tool], lambda call: str(call.arguments))
    assert again == first


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no recording|is no recording"),
        ('{"format": 9, "records": "project-o model traffic"}\n', "is no recording of this version"),
        ("garbage\n", "is no recording of this version"),
        ('{"format": 1, "records": "project-o model traffic"}\n{"asked": "x", "mod', "line 2 cannot be read"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path, text, problem):
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(UsageError, match=problem):
        open_model(f"replay:{tmp_path / 't.jsonl'}")
    with pytest.raises(UsageError, match="there is no recording"):
        open_model(f"replay:{tmp_path / 'none.jsonl'}")


# ------------------------------------------------------------------------------- several models


def test_the_first_model_that_answers_does(opened, said):
    model = FallbackModel([opened("openai", "down"), opened("anthropic", "silent"), opened("ollama", "good")])
    assert model.chat(said()).text
    assert "ollama:good" in model.name
    assert model.usage().requests >= 1


def test_what_was_begun_is_not_begun_again(said):
    class Cut(ScriptedModel):
        def stream(self, messages, tools=()):
            yield "It is"
            raise ModelError("cut")

    heard = []
    with pytest.raises(ModelError, match="cut"):
        heard.extend(FallbackModel([Cut(), ScriptedModel(["whole"])]).stream(said()))
    assert heard == ["It is"]


def test_when_none_answers_all_are_named(said):
    model = FallbackModel([ScriptedModel([ModelError("one")]), ScriptedModel([ModelError("two")])])
    with pytest.raises(ModelError, match=r"none of 2 models answered: 1\. one; 2\. two"):
        model.chat(said())
    with pytest.raises(ModelError, match="none of 2"):
        FallbackModel([ScriptedModel([ModelError("one")])] * 2).chat(said())


def test_models_in_a_name(said):
    model = open_model("openai:none, scripted:hello", environ={})
    assert model.chat(said()).text == "hello"
    with pytest.raises(ModelMissing, match="OPENAI_API_KEY"):
        open_model("openai:a, openai:b", environ={})


def test_vectors_stay_those_of_one_model():
    class Once(ScriptedModel):
        fails = False

        def embed(self, texts):
            if self.fails:
                raise ModelError("gone")
            return [[1.0, 0.0] for _ in texts]

    first = Once()
    model = FallbackModel([first, ScriptedModel()])
    assert model.embed(["a"]) == [[1.0, 0.0]]
    first.fails = True
    with pytest.raises(ModelError, match="gone"):
        model.embed(["a"])


def test_a_key_may_be_in_the_keyring(monkeypatch):
    keyring = types.ModuleType("keyring")
    keyring.__spec__ = types.SimpleNamespace(name="keyring")
    keyring.get_password = lambda service, name: {("project-o", "OPENAI_API_KEY"): "sk-of-the-keyring-123456"}.get(
        (service, name)
    )
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = open_model("openai:x", "http://127.0.0.1:9/v1")
    assert "sk-of-the-keyring" not in repr(model)
    keyring.get_password = lambda service, name: 1 / 0
    with pytest.raises(ModelMissing, match="keyring set project-o OPENAI_API_KEY"):
        open_model("openai:x")


def test_the_list_price_is_in_the_usage(monkeypatch):
    from project_o.models.adapter import list_price
    from project_o.models.endpoint import Endpoint, Secret

    def at(provider, model, loopback=False):
        return Endpoint(provider, model, "https://x", "", Secret(""), loopback)

    assert list_price(at("openai", "gpt-4o-mini"), 1_000_000, 0) == pytest.approx(0.15)
    assert list_price(at("anthropic", "nothing-like-it"), 1000, 1000) == 0
    assert list_price(at("openai", "gpt-4o-mini", loopback=True), 1000, 1000) == 0
    assert list_price(at("ollama", "gpt-4o-mini"), 1000, 1000) == 0


def test_a_reply_that_was_recorded_is_whole(tmp_path):
    reply = Reply("t", (), model="m", finish="length")
    model = RecordingModel(ScriptedModel([reply]), Tape(tmp_path / "t.jsonl"))
    assert model.chat([Message("user", "x")]) == reply
    assert ReplayedModel(Tape(tmp_path / "t.jsonl")).chat([Message("user", "x")]) == reply
    assert json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])["format"] == 1
