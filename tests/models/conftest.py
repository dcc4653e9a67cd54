"""Models opened on the stand-in server, with little patience; and the real kernel of ``tests/kernel``."""

import importlib.util
import sys
from pathlib import Path

import pytest

from project_o.models import Message, Patience, ToolSpec, open_model

KEY = "sk-never-shown-0123456789abcdef"
KEYS = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "OLLAMA_API_KEY": KEY, "LOCAL_API_KEY": KEY}
CALM = Patience(silence_seconds=20.0, backoff_seconds=0.01)  # a busy machine is no silent server
HURRIED = Patience(silence_seconds=1.0, backoff_seconds=0.01)
PROTOCOLS = ("openai", "anthropic", "ollama")


@pytest.fixture(scope="session", autouse=True)
def _library(lacking):
    if importlib.util.find_spec("pydantic_ai") is None:
        lacking("llm", "the llm extra is not installed")


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return request.param


@pytest.fixture
def opened(standin, request):
    """``opened(provider, scene)``: a model of that scene, named so that no other test shares its counts."""

    def opened(provider, scene, patience=None):
        patience = patience or (HURRIED if scene in ("silent", "stops") else CALM)
        name = f"{provider}:{scene}.{provider}-{request.node.name.split('[')[0]}"
        return open_model(name, standin.url(provider), environ=KEYS, patience=patience)

    return opened


@pytest.fixture
def key():
    return KEY


@pytest.fixture
def said():
    """One message of a user."""
    return lambda text="hello": [Message("system", "Be brief."), Message("user", text)]


@pytest.fixture
def add_tool():
    number = {"type": "integer"}
    return ToolSpec("add", "Adds two numbers.", {"type": "object", "properties": {"a": number, "b": number}})


@pytest.fixture
def start_kernel(tmp_path_factory):
    """The real kernel of ``tests/kernel``, whose conftest is that folder's own."""
    place = Path(__file__).parent.parent / "kernel" / "conftest.py"
    spec = importlib.util.spec_from_file_location("kernel_conftest_for_models", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    kernels = []

    def start(folder, **options):
        kernels.append(module.Kernel(folder, **options))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()
