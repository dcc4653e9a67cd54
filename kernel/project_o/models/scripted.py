"""A model that says what it was told to: for tests, and for lessons without a network."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import ModelError
from ..values import Usage
from .rounds import InRounds
from .seam import Message, Reply, ToolCall, ToolSpec

Scripted = str | Reply | ToolCall | Sequence[ToolCall] | Exception
"""What one line of a script can be: a text, a whole reply, tools to ask for, or an exception to raise."""

Script = Sequence[Scripted] | Callable[[Sequence[Message], Sequence[ToolSpec]], Scripted]

VECTOR_LENGTH = 64
GRAM_CHARACTERS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the model received it."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]


class ScriptedModel(InRounds):
    """Answers from a script, the same each time, and records in ``asked`` what it was asked.

    ``replies`` is a sequence, used up line by line, or a function of the messages and tools. With
    ``piece_characters`` a text streams in pieces of that many characters, else word by word. A token of its usage is
    a word. Raises ModelError when the script has ended.
    """

    def __init__(self, replies: Script = (), *, name: str = "scripted:model", piece_characters: int = 0) -> None:
        self.name = name
        self.asked: list[Asked] = []
        self._replies = replies
        self._piece_characters = piece_characters
        self._usage = Usage()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"ScriptedModel({self.name!r}, asked {len(self.asked)} times)"

    def chat(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Reply:
        """The next reply of the script."""
        with self._lock:
            index = len(self.asked)
            self.asked.append(Asked(tuple(messages), tuple(tools)))
        line = self._replies(messages, tools) if callable(self._replies) else self._line(self._replies, index)
        reply = self._reply(line, messages, index)
        with self._lock:
            self._usage += reply.usage
        return reply

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The next reply of the script, in pieces."""
        reply = self.chat(messages, tools)
        yield from _pieces(reply.text, self._piece_characters)
        yield reply

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of ``VECTOR_LENGTH`` floats and length 1 from hashed words and letters: alike texts lie close."""
        with self._lock:
            self._usage += Usage(1, sum(_words(text) for text in texts), 0)
        return [hashed(text) for text in texts]

    def usage(self) -> Usage:
        """What was asked of this object so far."""
        with self._lock:
            return self._usage

    def _line(self, replies: Sequence[Scripted], index: int) -> Scripted:
        if index >= len(replies):
            raise ModelError(f"the script of {self.name} has {len(replies)} replies, and this is request {index + 1}")
        return replies[index]

    def _reply(self, line: Scripted, messages: Sequence[Message], index: int) -> Reply:
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        text = line if isinstance(line, str) else ""
        asked_for = () if isinstance(line, str) else (line,) if isinstance(line, ToolCall) else line
        if not isinstance(asked_for, Sequence) or not all(isinstance(call, ToolCall) for call in asked_for):
            raise ModelError(
                f"a line of a script is a text, a ToolCall, several, a Reply or an error, not {line!r:.40}"
            )
        calls = tuple(
            ToolCall(call.id or f"call-{index}-{k}", call.name, call.arguments) for k, call in enumerate(asked_for)
        )
        return Reply(text, calls, Usage(1, sum(_words(m.text) for m in messages), _words(text)), self.name)


def _words(text: str) -> int:
    return len(text.split())


def _pieces(text: str, characters: int) -> Iterator[str]:
    if characters:
        yield from (text[start : start + characters] for start in range(0, len(text), characters))
        return
    piece = ""
    for character in text:
        if piece and piece[-1].isspace() and not character.isspace():
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def hashed(text: str, length: int = VECTOR_LENGTH) -> list[float]:
    """A vector of ``length`` floats for a text: signed hashing of words and letter groups (Weinberger et al. 2009)."""
    vector = [0.0] * length
    for word in text.lower().split():
        padded = f" {word} "
        grams = (padded[k : k + GRAM_CHARACTERS] for k in range(len(padded) - GRAM_CHARACTERS + 1))
        for feature in (word, *grams):
            digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            vector[int.from_bytes(digest[:4], "big") % length] += 1.0 if digest[4] & 1 else -1.0
    norm = math.sqrt(sum(value * value for value in vector))
    return [value / norm for value in vector] if norm else vector
