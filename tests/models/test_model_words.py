"""What servers say, as it is told: on one line, short, without markup, and without the key wherever it stands."""

from hypothesis import given
from hypothesis import strategies as st

from project_o import limits
from project_o.models.adapter import _words, conversation
from project_o.models.endpoint import Endpoint, Patience, Secret
from project_o.models.seam import Message, ToolCall
from project_o.models.trouble import TOLD, Trouble, error_of, shortened

KEY = "sk-0123456789"
ENDPOINT = Endpoint("local", "m", "http://127.0.0.1:1/v1", "LOCAL_API_KEY", Secret(KEY), loopback=True)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "detail", "code"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.text(max_size=2000))
def test_any_words_become_one_short_line(words):
    told = shortened(words)

    assert len(told) <= limits.MODEL_WORDS_CHARACTERS_MAX
    assert told.isprintable()


@given(before=st.text(max_size=400), after=st.text(max_size=400), kind=st.sampled_from(sorted(TOLD)))
def test_the_key_is_hidden_wherever_it_stands_also_at_the_cut(before, after, kind):
    error = error_of(Trouble(kind, before + KEY + after), ENDPOINT, Patience())

    assert KEY not in str(error)
    assert KEY[:10] not in str(error).replace(before, "").replace(after, "")


def test_a_page_is_told_by_its_title():
    head = "<head><title>Sign&nbsp;in &amp; go</title><script>var x</script></head>"
    page = f"<!DOCTYPE html><html>{head}<body>b</body></html>"

    assert shortened(page) == "an HTML page, Sign in & go"
    assert shortened("<html><body><h1>Nothing</h1> here</body></html>") == "an HTML page, Nothing here"


@given(json_like)
def test_the_sentence_is_found_in_any_body(body):
    assert isinstance(_words(body), str)


def test_the_sentence_is_found_where_servers_keep_it():
    assert _words({"error": {"message": "no", "type": "t"}}) == "no"
    assert _words({"error": "no"}) == _words({"detail": "no"}) == _words({"message": "no"}) == _words("no") == "no"


def test_a_short_key_of_an_open_server_hides_no_letters():
    assert Secret("x").hide_in("an example") == "an example"


def test_what_stands_between_two_answers_is_one_request():
    call = ToolCall("1", "add", {"a": 1})
    told = conversation(
        [
            Message("system", "s"),
            Message("user", "u"),
            Message("assistant", "", (call, ToolCall("2", "add", {}))),
            Message("tool", "x", call_id="1"),
            Message("tool", "y", call_id="2"),
            Message("user", "v"),
        ]
    )

    kinds = [[part.part_kind for part in message.parts] for message in told]
    assert kinds == [
        ["system-prompt", "user-prompt"],
        ["tool-call", "tool-call"],
        ["tool-return", "tool-return", "user-prompt"],
    ]
    assert [part.tool_name for part in told[2].parts[:2]] == ["add", "add"]
