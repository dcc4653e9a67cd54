"""Record and replay: what models were asked and what they answered, in a file of JSON lines beside the notebook.

One exchange a line, in the order in which they were asked: the request (its secrets are removed), the pieces in which
the answer came, and the whole reply. A replayed answer is the recorded one, piece by piece and bit for bit; no key, no
network and no provider's library is needed for it. An answer that holds a secret is recorded without it.

A request that was asked more than once has its answers in their order, and the last one from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any, Literal

from ..errors import ModelError, ModelMissing, UsageError
from ..values import Usage
from .rounds import InRounds
from .seam import Message, Model, Reply, ToolCall, ToolSpec

FORMAT = 1
Mode = Literal["auto", "record", "replay"]
MODES: tuple[Mode, ...] = ("auto", "record", "replay")


class Tape:
    """A file of exchanges. Several threads and kernels may add to it at the same time.

    ``auto`` answers from the tape what is on it, asks for the rest, and adds that; ``record`` asks for everything and
    begins the file anew with the first answer; ``replay`` asks for nothing. Raises UsageError for another mode, for
    what is no tape, and for one of a later format.
    """

    def __init__(self, path: str | Path, mode: Mode = "auto", redact: Callable[[str], str] = lambda text: text) -> None:
        if mode not in MODES:
            raise UsageError(f"a tape is used in the mode {', '.join(MODES)}, not {mode!r}")
        self.path = Path(path)
        self.mode: Mode = mode
        self._redact = redact
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], int] = {}
        self._begun = mode != "record"
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for line in self._lines() if self._begun else ():
            self._take(line)

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def names(self) -> list[str]:
        """The models that answered, in the order in which each was first asked."""
        return list(dict.fromkeys(name for name, _ in self._known))

    def key(self, request: Any) -> str:
        """What a request is found by: SHA-256 of its canonical JSON without secrets."""
        return hashlib.sha256(json.dumps(self._clean(request), sort_keys=True).encode()).hexdigest()

    def find(self, name: str, request: Any) -> Mapping[str, Any] | None:
        """The next recorded answer of a model to this request; of any model where ``name`` is ""."""
        if self.mode == "record":
            return None
        key = self.key(request)
        with self._lock:
            places = [place for place in self._known if place[1] == key and name in ("", place[0])]
            if not places:
                return None
            answers, told = self._known[places[0]], self._told.get(places[0], 0)
            self._told[places[0]] = told + 1
            return answers[min(told, len(answers) - 1)]

    def add(self, name: str, request: Any, answer: Mapping[str, Any]) -> None:
        """Write an exchange down. Raises ModelError where the file cannot be written; then nothing of it is there."""
        line = {"format": FORMAT, "model": name, "key": self.key(request), "request": request, **answer}
        line = self._clean(line)
        text = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            try:
                self._append(text)
            except OSError as error:
                raise ModelError(
                    f"the answer of {name} cannot be recorded in {self.path}: {error.strerror}; "
                    "free the space, or choose another file with ProjectO.model_tape"
                ) from None
            self._take(line)

    def _append(self, text: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if self._begun else os.O_TRUNC)
        descriptor = os.open(self.path, flags, 0o666)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, text) != len(text):  # the disk is full: half a line would be lost with the next
                os.ftruncate(descriptor, before)
                raise OSError(28, "no space is left")
            self._begun = True
        finally:
            os.close(descriptor)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, Mapping):
            return {key: self._clean(item) for key, item in value.items()}
        return [self._clean(item) for item in value] if isinstance(value, (list, tuple)) else value

    def _take(self, line: dict[str, Any]) -> None:
        self._known.setdefault((str(line["model"]), str(line["key"])), []).append(line)

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            if self.mode == "replay":
                raise UsageError(f"there is no tape {self.path}: record one with model_tape_mode = 'record'") from None
            return
        except OSError as error:
            raise UsageError(f"the tape {self.path} cannot be read: {error.strerror}") from None
        for number, text in enumerate(raw.split(b"\n"), 1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
                form, _, _ = line["format"], line["model"], line["key"]
            except (ValueError, KeyError, TypeError):
                raise UsageError(
                    f"{self.path} is no tape of model traffic: line {number} cannot be read. Take that line out, "
                    "or record anew"
                ) from None
            if form > FORMAT:
                raise UsageError(f"{self.path} has format {form}: update project-o to read it")
            yield line


class TapedModel(InRounds):
    """A Model whose answers are on a tape, or get there. ``ask`` opens the real one when it is needed.

    Tools are carried out, also where answers are replayed. Its usage is what was really asked: what the tape answers
    costs nothing. Raises what ``ask`` raises, and ModelMissing for a request that is not on a tape of mode ``replay``.
    """

    def __init__(self, name: str, tape: Tape, ask: Callable[[], Model]) -> None:
        self.name = name or next(iter(tape.names()), "a tape")
        self._asked = name
        self.tape = tape
        self._ask = ask
        self._model: Model | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.name} on {self.tape.path}>"

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """Pieces of text as they were recorded, or as they arrive, then the Reply."""
        request = {"messages": [_message(item) for item in messages], "tools": [_tool(item) for item in tools]}
        known = self.tape.find(self._asked, request)
        if known is not None:
            yield from known["pieces"]
            yield _reply_from(known["reply"])
            return
        pieces: list[str] = []
        with closing(self._real(request).stream(messages, tools)) as coming:  # type: ignore[type-var]  # they can be
            for piece in coming:
                if isinstance(piece, Reply):
                    self.tape.add(self.name, request, {"pieces": pieces, "reply": _reply_to(piece)})
                else:
                    pieces.append(piece)
                yield piece

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text."""
        request = {"embed": list(texts)}
        known = self.tape.find(self._asked, request)
        if known is not None:
            return [[float(number) for number in vector] for vector in known["vectors"]]
        vectors = self._real(request).embed(texts)
        self.tape.add(self.name, request, {"vectors": vectors})
        return vectors

    def usage(self) -> Usage:
        """What was really asked of the model behind the tape."""
        return self._model.usage() if self._model is not None else Usage()

    def _real(self, request: Mapping[str, Any]) -> Model:
        if self.tape.mode == "replay":
            raise ModelMissing(
                f"this request is not on the tape {self.tape.path}, which is only replayed: "
                f"{_shown(request)}. Record it with ProjectO.model_tape_mode = 'auto' and a model"
            )
        with self._lock:
            if self._model is None:
                self._model = self._ask()
            return self._model


def _shown(request: Mapping[str, Any]) -> str:
    text = request["messages"][-1]["text"] if request.get("messages") else f"{len(request.get('embed', ()))} texts"
    return repr(text if len(text) <= 80 else text[:79] + "…")


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "text": message.text}
    if message.calls:
        body["calls"] = [_call_to(call) for call in message.calls]
    return body | ({"call_id": message.call_id} if message.call_id else {})


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}


def _call_to(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "name": call.name, "arguments": dict(call.arguments), "problem": call.problem}


def _reply_to(reply: Reply) -> dict[str, Any]:
    usage = list(astuple(reply.usage))
    calls = [_call_to(call) for call in reply.calls]
    return {"text": reply.text, "calls": calls, "usage": usage, "model": reply.model, "finish": reply.finish}


def _reply_from(body: Mapping[str, Any]) -> Reply:
    calls = tuple(ToolCall(**call) for call in body["calls"])
    return Reply(body["text"], calls, Usage(*body["usage"]), body["model"], body["finish"])


_tapes: dict[tuple[str, str], Tape] = {}
_tapes_lock = threading.Lock()


def tape_at(path: str | Path, mode: Mode = "auto", redact: Callable[[str], str] = lambda text: text) -> Tape:
    """The tape of this process at ``path``: whoever asks a model here adds to the same one."""
    key = str(Path(path).expanduser().absolute()), mode
    with _tapes_lock:
        if key not in _tapes:
            _tapes[key] = Tape(key[0], mode, redact)
        return _tapes[key]
