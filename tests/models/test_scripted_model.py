"""The model that says what it was told to, and a recorder written against the seam alone."""

import json
import math

import pytest

from project_o.errors import ModelError
from project_o.models import Message, Reply, ScriptedModel, ToolCall, ToolSpec, open_model
from project_o.models.rounds import run_rounds
from project_o.values import Usage

HELLO = [Message("user", "hello there")]


def test_it_says_its_lines_in_order_and_then_that_they_are_over():
    model = ScriptedModel(["one", Reply("two", usage=Usage(1, 5, 6))])

    assert [model.chat(HELLO).text, model.chat(HELLO).text] == ["one", "two"]
    assert model.usage() == Usage(1, 2, 1) + Usage(1, 5, 6)
    with pytest.raises(ModelError, match="has 2 replies, and this is request 3"):
        model.chat(HELLO)


def test_it_records_what_it_was_asked():
    model, spec = ScriptedModel(["one"]), ToolSpec("t", "", {})

    model.chat(HELLO, [spec])

    assert model.asked[0].messages == tuple(HELLO)
    assert model.asked[0].tools == (spec,)


def test_a_function_answers_from_the_conversation():
    model = ScriptedModel(lambda messages, tools: f"{len(messages)} {messages[-1].text}")

    assert model.chat(HELLO).text == "1 hello there"
    assert open_model("scripted:echo").chat(HELLO).text == "hello there"
    assert open_model("scripted:always this").chat(HELLO).text == "always this"


@pytest.mark.parametrize("characters", [0, 1, 3])
def test_pieces_put_together_are_the_text(characters):
    text = "  äöü 漢字\n🙂 end  "

    *pieces, reply = ScriptedModel([text], piece_characters=characters).stream(HELLO)

    assert "".join(pieces) == reply.text == text
    assert len(pieces) > 2


def test_it_asks_for_tools_and_hears_their_results():
    calls = [ToolCall("", "a", {"x": 1}), ToolCall("", "b", {})]
    model, shown = ScriptedModel([calls, "done"]), []

    reply = model.tools(HELLO, [ToolSpec("a", "", {}), ToolSpec("b", "", {})], lambda call: call.name * 2, shown.append)

    assert (reply.text, shown) == ("done", ["done"])
    said = model.asked[1].messages
    assert [message.role for message in said] == ["user", "assistant", "tool", "tool"]
    assert [message.text for message in said[2:]] == ["aa", "bb"]
    assert [message.call_id for message in said[2:]] == [call.id for call in said[1].calls]
    assert len({call.id for call in said[1].calls}) == 2


def test_it_raises_what_its_script_says():
    with pytest.raises(ModelError, match="as scripted"):
        ScriptedModel([ModelError("as scripted")]).chat(HELLO)


def test_vectors_are_the_same_each_time_of_length_one_and_close_for_alike_texts():
    model = ScriptedModel()
    first, again, alike, other = model.embed(["the red house", "the red house", "a red house", "quantum entropy"])

    def closeness(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert first == again
    assert math.isclose(closeness(first, first), 1.0)
    assert closeness(first, alike) > closeness(first, other) + 0.2
    assert not any(model.embed([""])[0])


class Recorded:
    """Asks a model once and replays from a file after that: all it needs is the seam."""

    def __init__(self, model, path):
        self.name, self._model, self._path, self._usage = model.name, model, path, Usage()

    def chat(self, messages, tools=()):
        known = json.loads(self._path.read_text()) if self._path.exists() else {}
        asked = repr((tuple(messages), tuple(tools)))
        if asked not in known:
            reply = self._model.chat(messages, tools)
            calls = [(call.id, call.name, dict(call.arguments), call.problem) for call in reply.calls]
            known[asked] = [reply.text, calls, reply.model, reply.finish]
            self._path.write_text(json.dumps(known))
        text, calls, model, finish = known[asked]
        return Reply(text, tuple(ToolCall(*call) for call in calls), Usage(), model, finish)

    def stream(self, messages, tools=()):
        reply = self.chat(messages, tools)
        yield reply.text
        yield reply

    def tools(self, messages, tools, run, on_text=None):
        return run_rounds(self, messages, tools, run, on_text)

    def embed(self, texts):
        return self._model.embed(texts)

    def usage(self):
        return self._usage


def test_a_recorder_can_be_written_against_the_seam(tmp_path):
    add = ToolSpec("add", "", {})
    asked = ScriptedModel([ToolCall("1", "add", {"a": 1}), "three"])
    first = Recorded(asked, tmp_path / "tape").tools(HELLO, [add], lambda call: "3")
    silent = ScriptedModel([])

    replayed = Recorded(silent, tmp_path / "tape").tools(HELLO, [add], lambda call: "3")

    assert replayed.text == first.text == "three"
    assert silent.asked == []
