"""The five calls over each protocol, with a server that behaves."""

from project_o.models import Message, Reply, ToolCall, ToolSpec
from project_o.values import Usage

TEXT = "Hello from the stand-in: äöü, 漢字, 🙂."
ONE_REQUEST = Usage(1, 12, 9)


def test_a_chat_is_answered_and_counted(opened, protocol, said):
    model = opened(protocol, "good")

    reply = model.chat(said())

    assert (reply.text, reply.calls, reply.finish) == (TEXT, (), "stop")
    assert reply.model == model.name.partition(":")[2]
    assert reply.usage == model.usage() == ONE_REQUEST


def test_a_stream_comes_in_pieces_and_ends_with_the_reply(opened, protocol, said):
    *pieces, reply = opened(protocol, "good").stream(said())

    assert len(pieces) > 3
    assert "".join(pieces) == reply.text == TEXT
    assert isinstance(reply, Reply)


def test_characters_that_come_in_parts_are_put_together(opened, protocol, said):
    *pieces, reply = opened(protocol, "split").stream(said())

    assert "".join(pieces) == reply.text == TEXT


def test_pauses_below_the_limit_are_waited_for(opened, protocol, said):
    assert opened(protocol, "slow").chat(said()).text == TEXT


def test_the_server_receives_the_conversation_and_the_key(opened, protocol, standin, key):
    model = opened(protocol, "echo")
    call = ToolCall("call_7", "add", {"a": 1})
    conversation = [
        Message("system", "Be brief."),
        Message("user", "first"),
        Message("assistant", "I add.", (call,)),
        Message("tool", "3", call_id="call_7"),
        Message("user", "last: ä"),
    ]

    reply = model.chat(conversation)

    assert reply.text.endswith("last: ä")
    asked = standin.requests[-1]
    sent = str(asked.body)
    assert all(text in sent for text in ("Be brief.", "first", "I add.", "call_7", "add"))
    assert asked.headers.get("x-api-key", asked.headers.get("authorization", "")).endswith(key)


def test_tools_are_carried_out_and_their_results_told(opened, protocol, said, add_tool):
    model, shown, run = opened(protocol, "tools"), [], []

    def carry_out(call):
        run.append((call.name, dict(call.arguments)))
        return str(call.arguments["a"] + call.arguments["b"])

    reply = model.tools(said('{"a": 20, "b": 22}'), [add_tool], carry_out, shown.append)

    assert run == [("add", {"a": 20, "b": 22})]
    assert reply.text == "The tools said: 42"
    assert "".join(shown) == "Let me see. The tools said: 42"
    assert reply.usage == model.usage() == ONE_REQUEST + ONE_REQUEST


def test_several_tools_of_one_answer_are_all_answered_in_order(opened, protocol, said):
    specs = [ToolSpec(name, "", {}) for name in ("one", "two", "three")]

    reply = opened(protocol, "alltools").tools(said("{}"), specs, lambda call: call.name.upper())

    assert reply.text == "ONE; TWO; THREE"


def test_a_reply_that_reached_its_length_says_so(opened, protocol, said):
    assert opened(protocol, "length").chat(said()).finish == "length"


def test_a_model_that_has_nothing_to_add_to_its_tools_is_done(opened, protocol, said, add_tool):
    reply = opened(protocol, "quiet").tools(said(), [add_tool], lambda call: "done")

    assert (reply.text, reply.calls) == ("", ())


def test_embeddings_are_one_vector_a_text(opened):
    for provider in ("openai", "ollama"):
        model = opened(provider, "good")

        assert model.embed(["abc", "aaaaa"]) == [[3.0, 1.0, 1.0], [5.0, 5.0, 1.0]]
        assert model.embed([]) == []
        assert model.usage() == Usage(1, 2, 0)


def test_any_compatible_server_is_asked_the_same_way(opened, said):
    model = opened("local", "good")

    assert model.chat(said()).text == TEXT
    assert model.embed(["abc"]) == [[3.0, 1.0, 1.0]]
