"""What the stand-in says, as the bytes of each protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

INPUT_TOKENS = 12
OUTPUT_TOKENS = 9


@dataclass
class Answer:
    """What to say, before it has a protocol. ``calls`` are (name, arguments as JSON text)."""

    pieces: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    finish: str = "stop"


def in_pieces(text):
    return [text[k : k + 5] for k in range(0, len(text), 5)]


class OpenAI:
    """Chat completions. Ollama's compatible endpoint differs in that a call of a tool comes in one piece."""

    def __init__(self, whole_calls=False):
        self.whole_calls = whole_calls

    def frames(self, answer, model):
        """The answer as the chunks of bytes of an event stream."""
        yield self._chunk(model, {"role": "assistant", "content": ""})
        for piece in answer.pieces:
            yield self._chunk(model, {"content": piece})
        for index, (name, arguments) in enumerate(answer.calls):
            first = {"index": index, "id": f"call_{index}", "type": "function"}
            parts = [arguments] if self.whole_calls else in_pieces(arguments)
            function = {"name": name, "arguments": parts[0] if parts else ""}
            yield self._chunk(model, {"tool_calls": [{**first, "function": function}]})
            for part in parts[1:]:
                yield self._chunk(model, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        finish = "tool_calls" if answer.calls else answer.finish
        yield self._chunk(model, {}, finish)
        yield self._event({**self._head(model), "choices": [], "usage": self._usage()}) + b"data: [DONE]\n\n"

    def error(self, words, kind="invalid_request_error"):
        return {"error": {"message": words, "type": kind, "code": None}}

    def error_event(self, words):
        return self._event(self.error(words, "server_error"))

    def results(self, body):
        """The results of tools since the model was asked last."""
        found = []
        for message in reversed(body["messages"]):
            if message["role"] != "tool":
                break
            found.insert(0, message["content"])
        return found

    def tool_names(self, body):
        return [tool["function"]["name"] for tool in body.get("tools", [])]

    def last(self, body):
        content = body["messages"][-1]["content"]
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)

    def _head(self, model):
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1763812345, "model": model}

    def _chunk(self, model, delta, finish=None):
        return self._event({**self._head(model), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def _usage(self):
        return {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }

    def _event(self, data):
        return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


class Anthropic:
    """Messages."""

    FINISH = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}

    def frames(self, answer, model):
        usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": model}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
        yield self._event("message_start", message=message)
        yield self._event("ping")
        blocks = [({"type": "text", "text": ""}, "text_delta", "text", answer.pieces)] if answer.pieces else []
        for k, (name, arguments) in enumerate(answer.calls):
            block = {"type": "tool_use", "id": f"toolu_{k}", "name": name, "input": {}}
            blocks.append((block, "input_json_delta", "partial_json", in_pieces(arguments)))
        for index, (block, kind, key, parts) in enumerate(blocks):
            yield self._event("content_block_start", index=index, content_block=block)
            for part in parts:
                yield self._event("content_block_delta", index=index, delta={"type": kind, key: part})
            yield self._event("content_block_stop", index=index)
        reason = "tool_use" if answer.calls else self.FINISH[answer.finish]
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield self._event("message_delta", delta=delta, usage={"output_tokens": OUTPUT_TOKENS})
        yield self._event("message_stop")

    def error(self, words, kind="invalid_request_error"):
        return {"type": "error", "error": {"type": kind, "message": words}}

    def error_event(self, words):
        return self._event("error", error={"type": "api_error", "message": words})

    def results(self, body):
        content = body["messages"][-1]["content"]
        blocks = content if isinstance(content, list) else []
        return [self._text(block["content"]) for block in blocks if block["type"] == "tool_result"]

    def tool_names(self, body):
        return [tool["name"] for tool in body.get("tools", [])]

    def last(self, body):
        return self._text(body["messages"][-1]["content"])

    def _text(self, content):
        return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)

    def _event(self, kind, **data):
        body = json.dumps({"type": kind, **data}, ensure_ascii=False)
        return f"event: {kind}\ndata: {body}\n\n".encode()


PROTOCOLS = {"openai": OpenAI(), "ollama": OpenAI(whole_calls=True), "local": OpenAI(), "anthropic": Anthropic()}
