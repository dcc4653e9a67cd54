"""A server on loopback that stands in for language models: three protocols, well-behaved and not.

    with StandIn() as server:
        model = open_model("openai:good", server.url("openai"), environ={"OPENAI_API_KEY": "k"})

The model's name chooses the scene (``SCENES`` lists them; what follows a dot is free, so that tests that count
requests do not share a counter: ``openai:flaky.mine``). ``server.requests`` holds what was asked, ``server.left``
the names of the models whose client went away before the answer's end.

As a process of its own: ``python tests/models/standin.py PORT`` serves OpenAI's protocol at ``/v1`` (and at
``/openai/v1``), Ollama's OpenAI-compatible one at ``/ollama/v1``, Anthropic's at ``/anthropic``.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # its other two files, also where this one is loaded by its path

from standin_protocols import INPUT_TOKENS, OUTPUT_TOKENS, PROTOCOLS
from standin_scenes import PAUSE_SECONDS, SCENES, TEXT, missing

__all__ = ["INPUT_TOKENS", "OUTPUT_TOKENS", "PAUSE_SECONDS", "SCENES", "TEXT", "StandIn"]
PATHS = {"openai": "/openai/v1", "ollama": "/ollama/v1", "local": "/v1", "anthropic": "/anthropic"}


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict
    body: dict


class Gone(Exception):
    """The client went away."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    started = False

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        standin = self.server.standin
        self.started = False
        self.model = self.body.get("model", "")
        with standin.lock:
            standin.requests.append(
                Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, self.body)
            )
            standin.counts[self.model] += 1
            self.count = standin.counts[self.model]
        provider = next((name for name, path in PATHS.items() if self.path.startswith(path + "/")), "")
        self.protocol = PROTOCOLS.get(provider)
        scene = SCENES.get(self.model.split(".")[0])
        try:
            if self.path.endswith("/embeddings"):
                self._embed()
            elif self.protocol is None or not self.path.endswith(("/chat/completions", "/messages")):
                self.whole(404, b'{"error": {"message": "no such path"}}', "application/json")
            elif scene is None:
                missing(self)
            else:
                scene(self)
                self._finish()
        except (Gone, OSError):
            self.close_connection = True
            standin.left.append(self.model)

    def do_GET(self):
        names = [{"id": name, "object": "model"} for name in SCENES]
        self.whole(200, json.dumps({"object": "list", "data": names}).encode(), "application/json")

    # What scenes do.

    def arguments(self):
        last = self.protocol.last(self.body)
        try:
            return json.dumps(json.loads(last), ensure_ascii=False)
        except ValueError:
            return "{}"

    def say(self, answer, pause=0.0):
        for frame in self.protocol.frames(answer, self.model):
            if pause:
                time.sleep(pause)
            self.send(frame)

    def begin(self, frames):
        for frame in frames:
            self.send(frame)

    def send(self, data):
        if not self.started:
            self.started = True
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def whole(self, status, body, kind, headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def fail(self, status, words, headers=None):
        kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}.get(status, "api_error")
        self.whole(status, json.dumps(self.protocol.error(words, kind)).encode(), "application/json", headers)

    def abort(self):
        """Reset the connection: the client sees an error, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wfile.flush()
        time.sleep(0.05)  # what was sent is read before the reset overtakes it
        self.close_connection = True
        self.connection.close()

    def wait(self):
        """Say nothing until the client has gone or the server ends."""
        while not self.server.standin.ending.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise Gone

    def _finish(self):
        if self.started and self.connection.fileno() >= 0:
            self.wfile.write(b"0\r\n\r\n")

    def _embed(self):
        name = self.model.split(".")[0]
        if name in ("denied", "missing", "down", "silent"):
            self.protocol = self.protocol or PROTOCOLS["openai"]
            return SCENES[name](self)
        vectors = [[float(len(text)), float(text.count("a")), 1.0] for text in self.body["input"]]
        if name == "uneven":
            vectors[-1].pop()
        data = [{"object": "embedding", "index": k, "embedding": vector} for k, vector in enumerate(vectors)]
        usage = {"prompt_tokens": len(vectors), "total_tokens": len(vectors)}
        body = {"object": "list", "data": data, "model": self.model, "usage": usage}
        return self.whole(200, json.dumps(body).encode(), "application/json")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # scenes break connections on purpose


class StandIn:
    """The server, in a thread. ``port`` 0 takes a free one."""

    def __init__(self, port=0):
        self.requests: list[Asked] = []
        self.left: list[str] = []
        self.counts = Counter()
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.standin = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def url(self, provider="openai"):
        """The address to open a model of ``provider`` with."""
        return f"http://127.0.0.1:{self.port}{PATHS[provider]}"

    def has_left(self, model, seconds=60.0):
        """Whether the client of ``model`` goes away before its answer's end, waiting for it a while."""
        until = time.monotonic() + seconds
        while model not in self.left and time.monotonic() < until:
            time.sleep(0.01)
        return model in self.left

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    with StandIn(int(sys.argv[1]) if len(sys.argv) > 1 else 8000) as running:
        print(f"http://127.0.0.1:{running.port}/v1  models: {', '.join(SCENES)}", flush=True)
        running.thread.join()
