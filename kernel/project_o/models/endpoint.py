"""Where a model answers, how patient we are with it, and the key, which no text of ours ever shows."""

from __future__ import annotations

from dataclasses import dataclass

from .. import limits

HIDDEN = "[key]"
KEY_CHARACTERS_MIN = 6


class Secret:
    """A key. Its text is only in ``reveal()``; printing it, or a local variable that holds it, shows ``[key]``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return HIDDEN if self._text else "[no key]"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied or stored: it is read from the environment")

    def reveal(self) -> str:
        """The key itself, for the client that sends it."""
        return self._text

    def hide_in(self, text: str) -> str:
        """``text`` without the key: servers repeat it in what they say. Keys like ``none`` or ``x`` hide nothing."""
        return text.replace(self._text, HIDDEN) if len(self._text) >= KEY_CHARACTERS_MIN else text


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model at one address. ``loopback`` addresses are never asked through a proxy."""

    provider: str
    model: str
    url: str
    key_variable: str
    key: Secret
    loopback: bool

    @property
    def name(self) -> str:
        """``provider:model``."""
        return f"{self.provider}:{self.model}"

    def __str__(self) -> str:
        return f"{self.name} at {self.url}"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a model is waited for; seconds, characters and bytes.

    ``silence_seconds`` is the longest pause between two pieces of an answer, and before its first.
    """

    connect_seconds: float = limits.MODEL_CONNECT_SECONDS
    silence_seconds: float = limits.MODEL_SILENCE_SECONDS
    reply_seconds: float = limits.MODEL_REPLY_SECONDS_MAX
    retries: int = limits.MODEL_RETRIES_MAX
    backoff_seconds: float = limits.MODEL_BACKOFF_SECONDS
    retry_after_seconds: float = limits.MODEL_RETRY_AFTER_SECONDS_MAX
    reply_characters: int = limits.MODEL_REPLY_CHARACTERS_MAX
    reply_bytes: int = limits.MODEL_REPLY_BYTES_MAX
