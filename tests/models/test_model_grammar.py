"""A grammar goes to servers of one's own, and to no service."""

import pytest

from project_o.models import Message

GRAMMAR = 'root ::= "(add a: " [0-9]+ ")"'


@pytest.mark.parametrize("provider", ["local", "openai", "anthropic", "ollama"])
def test_a_grammar_is_sent_where_a_server_may_take_one(standin, opened, provider):
    model = opened(provider, "good")
    before = len(standin.requests)
    model.chat([Message("user", "add", grammar=GRAMMAR)])
    model.chat([Message("user", "add")])

    bodies = [request.body for request in standin.requests[before:]]
    assert [body.get("grammar") for body in bodies] == [GRAMMAR if provider == "local" else None, None]
