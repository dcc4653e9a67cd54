"""A notebook's traffic with models, in a file: recorded once, replayed bit for bit without a key or a network.

    {"format": 1, "records": "project-o model traffic"}
    {"asked": "3f...", "call": "stream", "model": "openai:x", "pieces": ["It ", "is"], "reply": {...}}
    {"asked": "9a...", "call": "embed", "model": "openai:x", "vectors": [[...]]}

A request is known by what was asked (messages and tools, without what looks like a secret), and by how often it was
asked before. No key is ever in a request here: the adapter adds it below this seam. ``Tape`` is the file.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import ModelError, UsageError
from ..values import Usage
from .rounds import one_reply, run_rounds
from .seam import Message, Model, Reply, RunTool, ToolCall, ToolSpec

FORMAT = 1
_HEAD = {"format": FORMAT, "records": "project-o model traffic"}
_MARK = re.compile(r"\[redacted [0-9a-f]+\]")
Redact = Callable[[str], str]


def _same(text: str) -> str:
    return text


class Tape:
    """The answers that a file holds, and where more are appended. Threads may share it.

    Raises UsageError for a file that is no recording, or one of a later version.
    """

    def __init__(self, path: str | Path, redact: Redact = _same) -> None:
        self.path = Path(path).expanduser()
        self._redact = redact
        self._lock = threading.Lock()
        self._entries: dict[str, list[dict[str, Any]]] = {}
        self._heard: dict[str, int] = {}
        if self.path.exists():
            self._read()

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    @property
    def model(self) -> str:
        """The name of the model whose answer is the first; "" for an empty tape."""
        first = next(iter(self._entries.values()), None)
        return str(first[0]["model"]) if first else ""

    def next(self, asked: str, *, again: bool) -> dict[str, Any] | None:
        """The answer to the next request of this kind; with ``again`` the last one when all were given."""
        with self._lock:
            entries, heard = self._entries.get(asked, []), self._heard.get(asked, 0)
            self._heard[asked] = heard + 1
            if heard < len(entries):
                return entries[heard]
            return entries[-1] if entries and again else None

    def add(self, asked: str, entry: Mapping[str, Any]) -> None:
        """One more answer, without what looks like a secret, at the end of the file."""
        body = {"asked": asked, **_cleaned(dict(entry), self._redact)}
        with self._lock:
            self._entries.setdefault(asked, []).append(body)
            self._heard[asked] = len(self._entries[asked])
            new = not self.path.exists()
            with self.path.open("a", encoding="utf-8") as file:
                file.write((json.dumps(_HEAD) + "\n" if new else "") + json.dumps(body, ensure_ascii=False) + "\n")

    def asked(self, *parts: Any) -> str:
        """What a request is known by: the same with and without the secrets that were in it."""
        text = _MARK.sub("[redacted]", self._redact(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _read(self) -> None:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        try:
            head = json.loads(lines[0])
            if head["records"] != _HEAD["records"] or head["format"] != FORMAT:
                raise ValueError(f"format {head['format']} of {head['records']!r}")
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise UsageError(f"{self.path} is no recording of this version ({error}): record again") from None
        for number, line in enumerate(lines[1:], 2):
            try:
                entry = json.loads(line)
                self._entries.setdefault(entry["asked"], []).append(entry)
            except (ValueError, KeyError, TypeError):
                raise UsageError(
                    f"{self.path}, line {number} cannot be read: remove what stands from there on, or record again"
                ) from None


class _Taped:
    """What the recording and the replayed model share: the loop of tools, and what a request is."""

    name: str

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._usage = Usage()
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """Pieces of text, then the Reply."""
        raise AssertionError("each of the two has its own")

    def chat(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Reply:
        """One answer."""
        return one_reply(self.stream(messages, tools))

    def tools(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        run: RunTool,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As every model does it: see ``rounds.run_rounds``."""
        return run_rounds(self, messages, tools, run, on_text)

    def usage(self) -> Usage:
        """What was asked of this object so far."""
        with self._lock:
            return self._usage

    def _spend(self, usage: Usage) -> None:
        with self._lock:
            self._usage += usage

    def _key(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        return self.tape.asked("stream", [asdict(one) for one in messages], [asdict(one) for one in tools])


class RecordingModel(_Taped):
    """A model whose answers are written down. With ``cache``, what is on the tape is not asked for again."""

    def __init__(self, model: Model, tape: Tape, *, cache: bool = False) -> None:
        super().__init__(tape)
        self.name = model.name
        self._model = model
        self._cache = cache

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The model's pieces and its Reply, and on the tape what they were, or the error that came instead."""
        asked = self._key(messages, tools)
        if self._cache and (known := self.tape.next(asked, again=True)) is not None and "reply" in known:
            yield from known["pieces"]
            yield replace(_reply_of(known["reply"]), usage=Usage())  # nothing was asked
            return
        pieces: list[str] = []
        try:
            for piece in self._model.stream(messages, tools):
                if isinstance(piece, Reply):
                    entry = {"call": "stream", "model": self.name, "pieces": pieces, "reply": asdict(piece)}
                    self.tape.add(asked, entry)
                    self._spend(piece.usage)
                else:
                    pieces.append(piece)
                yield piece
        except ModelError as error:
            self.tape.add(asked, {"call": "stream", "model": self.name, "pieces": pieces, "error": str(error)})
            raise

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The model's vectors, and on the tape what they were."""
        asked = self.tape.asked("embed", list(texts))
        if self._cache and (known := self.tape.next(asked, again=True)) is not None:
            return [list(vector) for vector in known["vectors"]]
        vectors = self._model.embed(texts)
        self.tape.add(asked, {"call": "embed", "model": self.name, "vectors": vectors})
        return vectors


class ReplayedModel(_Taped):
    """Answers from a tape alone: the same pieces, replies, tokens and errors in the same order. Nothing is asked."""

    def __init__(self, tape: Tape) -> None:
        if not len(tape):
            raise UsageError(f"there is no recording at {tape.path}: record one with ProjectO.model_record")
        super().__init__(tape)
        self.name = tape.model

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The pieces and the Reply that were recorded. Raises ModelError as then, and for a request of another kind."""
        entry = self._found(self._key(messages, tools), messages[-1].text if messages else "")
        yield from entry["pieces"]
        if "error" in entry:
            raise ModelError(entry["error"])
        reply = _reply_of(entry["reply"])
        self._spend(reply.usage)
        yield reply

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors that were recorded. Raises ModelError for texts that were not embedded then."""
        found = self._found(self.tape.asked("embed", list(texts)), texts[0] if texts else "")
        return [list(vector) for vector in found["vectors"]]

    def _found(self, asked: str, about: str) -> dict[str, Any]:
        entry = self.tape.next(asked, again=True)
        if entry is None:
            shown = " ".join(about.split())[: limits.MODEL_WORDS_CHARACTERS_MAX]
            raise ModelError(
                f"the recording {self.tape.path} has no answer to this request ({shown!r}): something before it is not "
                "as it was when it was recorded; run it as it was, or record again with ProjectO.model_record"
            )
        return entry


def _reply_of(body: Mapping[str, Any]) -> Reply:
    calls = tuple(ToolCall(**call) for call in body["calls"])
    return Reply(body["text"], calls, Usage(**body["usage"]), body["model"], body["finish"])


def _cleaned(value: Any, redact: Redact) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _cleaned(item, redact) for name, item in value.items()}
    if isinstance(value, (list, tuple)) and not (value and isinstance(value[0], float)):
        return [_cleaned(item, redact) for item in value]
    return value
