"""Every view, with every text in it replaced: nothing hidden, no tag and no terminal sequence comes out."""

from __future__ import annotations

import dataclasses
import html
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from project_o import errors, hidden, view

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\x1b]8;;http://x\x07click\x1b]8;;\x07"
    "\r\b\x9b31m\u202e\u2066\u200b\u2028\u3164\U000e0041\ufeff\ud800 end"
)
WORDS = {
    *("kind", "language", "status", "mode", "stage", "verdict", "severity", "unit", "metric", "direction", "outcome"),
    *("phase", "proposer", "operator"),
}
"""Fields that hold one of a few words of ours."""


def poisoned(value: Any) -> Any:
    """The same value with every free text in it made hostile."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(poisoned(item) for item in value)
    if isinstance(value, dict):
        return {key: poisoned(item) if key not in ("change", "kind") else item for key, item in value.items()}
    if isinstance(value, SimpleNamespace):
        return SimpleNamespace(**{k: v if k in WORDS | {"change"} else poisoned(v) for k, v in vars(value).items()})
    if isinstance(value, errors.ProjectOError):
        copy = type(value)(str(value) + HOSTILE) if not isinstance(value, errors.NativeError) else value
        copy.__dict__.update({k: poisoned(v) for k, v in value.__dict__.items() if k != "language"})
        copy.args = tuple(poisoned(list(value.args)))
        return copy
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value) if item.init}
        return dataclasses.replace(value, **{k: v if k in WORDS else poisoned(v) for k, v in fields.items()})
    return value


class Tags(HTMLParser):
    """The names of all tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture
def poison(monkeypatch):
    """Every ``view.show_...`` gets hostile texts for its own; how many there were is counted."""
    shown = []
    for name in [name for name in view.__all__ if name.startswith("show_")]:
        real = getattr(view, name)

        def wrapper(*args, _real=real, _name=name, **named):
            shown.append(_name)
            return _real(*map(poisoned, args), **{k: poisoned(v) for k, v in named.items()})

        monkeypatch.setattr(view, name, wrapper)
    return shown


def test_hostile_text_is_only_text_in_every_view(sample, poison):
    made = sample()
    assert poison
    for text in (made.plain, made.html, html.unescape(made.html)):
        assert hidden.replace(text, lambda _: "!") == text
    page = Tags(made.html)
    assert not page.names & {"script", "img", "a", "iframe", "object", "style", "link", "form"}
    assert not {name for name in page.attributes if name.startswith("on") or name in ("href", "src")}
    assert "alert(1)" in made.plain
