"""Several models as one, and where keys come from."""

import sys
from types import ModuleType

import pytest

from project_o.errors import ModelError, ModelMissing, UsageError
from project_o.models import Message, ScriptedModel, SeveralModels, endpoint_of, names_in, open_model

HELLO = [Message("user", "hello")]


def failing(text):
    return ScriptedModel(lambda *_: (_ for _ in ()).throw(ModelError(text)))


def test_the_first_that_answers_does_and_one_that_failed_rests():
    dead, alive, now = failing("cannot be reached"), ScriptedModel(lambda *_: "hi", name="scripted:alive"), [0.0]
    model = SeveralModels([("a:x", lambda: dead), ("b:y", lambda: alive)], clock=lambda: now[0])
    assert model.chat(HELLO).model == "scripted:alive"
    model.chat(HELLO)
    assert len(dead.asked) == 1
    now[0] = 61.0
    model.chat(HELLO)
    assert (len(dead.asked), len(alive.asked)) == (2, 3)
    assert model.usage().requests == 3


def test_where_none_answers_each_says_why():
    model = SeveralModels([("a:x", lambda: failing("is down")), ("b:y", lambda: failing("is busy"))])
    with pytest.raises(ModelError, match=r"none of 2 models(.|\n)*is down(.|\n)*is busy"):
        model.chat(HELLO)


def test_an_answer_that_broke_off_is_not_begun_again_by_another():
    class BreaksOff(ScriptedModel):
        def stream(self, messages, tools=()):
            yield "half "
            raise ModelError("broke off")

    other = ScriptedModel(["whole"])
    model = SeveralModels([("a:x", BreaksOff), ("b:y", lambda: other)])
    with pytest.raises(ModelError, match="broke off"):
        model.chat(HELLO)
    assert other.asked == []


def test_one_without_its_key_is_passed_over():
    model = open_model("openai:gpt, scripted:hello, you", environ={})
    assert model.chat(HELLO).text == "hello, you"
    with pytest.raises(UsageError, match="names no model"):
        open_model("scripted:a, openai:", environ={})
    assert names_in("scripted:hello, you") == ["scripted:hello, you"]
    assert names_in("openai:a ,Ollama:b:7b") == ["openai:a", "Ollama:b:7b"]


def test_over_real_connections(standin, key):
    """The first one's server refuses each request; the second one's answers."""
    names = "openai:unauthorized.several, ollama:good.several"
    keys = {"OPENAI_API_KEY": key, "OLLAMA_BASE_URL": standin.url("ollama")}
    model = open_model(names, standin.url("openai"), environ=keys)
    assert model.chat(HELLO).text


def test_a_key_may_be_in_the_keyring(monkeypatch):
    kept = {("project-o", "OPENAI_API_KEY"): "sk-from-the-keyring"}
    keyring = ModuleType("keyring")
    keyring.get_password = lambda service, name: kept.get((service, name))
    keyring.__spec__ = object()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert endpoint_of("openai:gpt", environ={}).key.reveal() == "sk-from-the-keyring"
    assert endpoint_of("openai:gpt", environ={"OPENAI_API_KEY": "sk-first"}).key.reveal() == "sk-first"
    with pytest.raises(ModelMissing, match="keyring set project-o ANTHROPIC_API_KEY"):
        endpoint_of("anthropic:claude", environ={})

    def locked(*_):
        raise RuntimeError("sk-never-shown is locked")

    keyring.get_password = locked
    with pytest.warns(UserWarning, match="RuntimeError") as told, pytest.raises(ModelMissing):
        endpoint_of("openai:gpt", environ={})
    assert "sk-never" not in str(told[0].message)
