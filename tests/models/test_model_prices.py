"""What a request costs by the provider's list."""

import pytest

from project_o.models.adapter import list_price
from project_o.models.endpoint import Endpoint, Secret


def test_the_list_price_is_in_the_usage():
    def at(provider, model, loopback=False):
        return Endpoint(provider, model, "https://x", "", Secret(""), loopback)

    assert list_price(at("openai", "gpt-4o-mini"), 1_000_000, 0) == pytest.approx(0.15)
    assert list_price(at("anthropic", "nothing-like-it"), 1000, 1000) == 0
    assert list_price(at("openai", "gpt-4o-mini", loopback=True), 1000, 1000) == 0
    assert list_price(at("ollama", "gpt-4o-mini"), 1000, 1000) == 0
