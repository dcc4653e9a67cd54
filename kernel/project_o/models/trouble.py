"""What can go wrong with a model that is asked, and the one ModelError that says so: what, where, what to do next."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import Literal

from .. import limits
from ..errors import ModelError
from .endpoint import Endpoint, Patience

Kind = Literal[
    "refused",
    "unreachable",
    "silent",
    "slow",
    "cut",
    "status",
    "reported",
    "moved",
    "malformed",
    "empty",
    "filtered",
    "long",
    "no embeddings",
    "other",
]

TOLD: dict[Kind, tuple[str, str]] = {
    "refused": (
        "cannot be reached",
        "Is it running? Start the server there, or set ProjectO.model_url to where it is",
    ),
    "unreachable": (
        "did not accept a connection within {connect}",
        "Check the network, start the server there, or set ProjectO.model_url to where it is",
    ),
    "silent": ("was silent for {silence}", "Ask again, choose a smaller model, or look at the server's own log"),
    "slow": ("had not finished after {reply}", "Ask again for a shorter answer"),
    "cut": ("broke off its answer", "Ask again; if it happens again, look at the server's own log"),
    "reported": ("reported an error in the middle of its answer", "Ask again, or look at the server's own log"),
    "moved": ("sends its clients elsewhere", "Set ProjectO.model_url to where it is, if you trust that"),
    "malformed": ("answered something that is no answer of its protocol", "{address}"),
    "empty": ("answered nothing", "Ask again in other words, or choose another model"),
    "filtered": ("withheld its answer by its content filter", "Ask again in other words"),
    "long": ("gave an answer longer than {characters}", "Ask for less, or set a limit on the server"),
    "no embeddings": ("has no embeddings", "Use a model of openai, ollama or local for them"),
    "other": ("could not be asked", "Check the model's name and address; `%o doctor` shows what is installed"),
}
"""What happened, and what to do next."""

AGAIN_STATUSES = frozenset({408, 409, 425, 429})
_HTML = re.compile(r"<!doctype html|<html|<head|<body", re.IGNORECASE)
_SCRIPTS = re.compile(r"<(script|style|title)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<[^>]*>")


class Trouble(Exception):  # noqa: N818 - it is turned into a ModelError before anybody sees it
    """An attempt that gave no answer.

    ``words`` are the server's own, ``status`` its HTTP status, ``after_seconds`` when it says to ask again;
    ``final`` where it says that asking again is of no use.
    """

    def __init__(
        self, kind: Kind, words: str = "", *, status: int = 0, after_seconds: float = 0.0, final: bool = False
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.words = words
        self.status = status
        self.after_seconds = after_seconds
        self.final = final

    @property
    def passing(self) -> bool:
        """Whether asking again may help: an overloaded or broken server, a connection that broke."""
        if self.final:
            return False
        return self.kind == "cut" or (
            self.kind in ("status", "reported")
            and (self.status in AGAIN_STATUSES or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
        )


def error_of(trouble: Trouble, endpoint: Endpoint, patience: Patience, attempts: int = 1) -> ModelError:
    """The error for the user: the endpoint, what happened, the server's words without the key, and what to do."""
    what, then = _told(trouble, endpoint, patience)
    said = shortened(endpoint.key.hide_in(trouble.words))
    quoted = f": {said}" if said else ""
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    return ModelError(endpoint.key.hide_in(f"{endpoint} {what}{times}{quoted}. {then}"))


def shortened(words: str) -> str:
    """A server's own words on one line: no markup, no control characters, at most some hundred characters."""
    if _HTML.search(words):
        titles = re.search(r"<title[^>]*>(.*?)</title", words, re.IGNORECASE | re.DOTALL)
        body = _TAGS.sub(" ", _SCRIPTS.sub(" ", words))
        words = f"an HTML page, {unescape(titles[1] if titles else body).strip()}"
    words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    if len(words) > limits.MODEL_WORDS_CHARACTERS_MAX:
        words = words[: limits.MODEL_WORDS_CHARACTERS_MAX - 1] + "…"
    return words.rstrip(".")


def _told(trouble: Trouble, endpoint: Endpoint, patience: Patience) -> tuple[str, str]:
    if trouble.kind == "status":
        return _status(trouble, endpoint)
    facts = {
        "connect": f"{patience.connect_seconds:g} s",
        "silence": f"{patience.silence_seconds:g} s",
        "reply": f"{patience.reply_seconds:g} s",
        "characters": f"{patience.reply_characters:,} characters",
        "address": _address(endpoint),
    }
    what, then = TOLD[trouble.kind]
    return what.format(**facts), then.format(**facts)


def _status(trouble: Trouble, endpoint: Endpoint) -> tuple[str, str]:
    try:
        phrase = f" {HTTPStatus(trouble.status).phrase}"
    except ValueError:
        phrase = ""
    what = f"answered {trouble.status}{phrase}"
    if trouble.status in (401, 403):
        return what, f"Set {endpoint.key_variable} to a key that may use this model, and restart the kernel"
    if trouble.status == 402:
        return what, "The account has no credit left: add some, or choose another model"
    if trouble.status == 404:
        pull = f"; `ollama pull {endpoint.model}` gets it" if endpoint.provider == "ollama" else ""
        return what, f"Check the model's name{pull}. {_address(endpoint)}"
    if trouble.status == 429:
        wait = f" in {trouble.after_seconds:.0f} s" if trouble.after_seconds else " later"
        return what, f"Ask again{wait}, or look at the account's limits"
    if trouble.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return what, "The fault is the server's: ask again later, or look at its log"
    return what, "Change the request, or choose another model"


def _address(endpoint: Endpoint) -> str:
    shape = "the server's own, without /v1" if endpoint.provider == "anthropic" else "with /v1 at its end, usually"
    return f"Check the address: {shape}"
