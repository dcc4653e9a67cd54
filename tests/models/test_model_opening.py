"""From a name to a model: what is needed, what is missing, and what is never told."""

import re
import subprocess
import sys
import tomllib
import traceback
from pathlib import Path

import pytest

from project_o import models
from project_o.config import OPTIONS
from project_o.errors import ModelError, ModelMissing, UsageError
from project_o.models import CONFIGURE, PROVIDERS, endpoint_of, open_model
from project_o.operations import doctor


@pytest.mark.parametrize("name", ["", "  "])
def test_no_model_is_an_error_with_the_three_lines_that_configure_one(name):
    with pytest.raises(ModelMissing) as caught:
        open_model(name, environ={})

    _, *lines = str(caught.value).split("\n")
    assert lines == list(CONFIGURE)
    assert len(lines) == 3
    assert "pip install 'project-o[llm]'" in lines[0]
    assert lines[1].startswith("%config ProjectO.model = ")
    assert "OPENAI_API_KEY" in lines[2]


def test_the_extra_pins_each_library_that_the_adapter_imports():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    pinned = {re.split(r"[=\[]", line)[0] for line in project["optional-dependencies"]["llm"] if "==" in line}
    text = Path(models.__file__).with_name("adapter.py").read_text()
    imported = set(re.findall(r"^\s*(?:from|import) ([a-z]\w*)", text, re.MULTILINE)) - set(sys.stdlib_module_names)

    assert "pydantic_ai" in imported
    assert {name.replace("pydantic_ai", "pydantic-ai-slim").replace("_", "-") for name in imported} <= pinned


@pytest.mark.parametrize("name", ["gpt-9", "openai", "openai:", ":x", "gugle:g1", "scripted", "scripted:"])
def test_a_name_that_is_none_lists_the_providers(name):
    with pytest.raises(UsageError, match="openai, anthropic, ollama, local"):
        open_model(name, environ={})


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_missing_key_names_its_variable(provider):
    with pytest.raises(ModelMissing, match=f"set {provider.upper()}_API_KEY in the environment"):
        open_model(f"{provider}:m", environ={})


def test_a_key_with_characters_of_no_key_is_not_shown(key):
    for broken in (key + "ä", key[:4] + "\n" + key[4:], key + " x"):
        with pytest.raises(ModelMissing, match="OPENAI_API_KEY holds characters") as caught:
            open_model("openai:m", environ={"OPENAI_API_KEY": broken})
        assert key not in str(caught.value)


def test_an_address_that_is_none_or_holds_a_key_is_refused_without_repeating_it(key):
    for url in (f"http://u:{key}@h/v1", f"http://h/v1?key={key}", f"http://[{key}", "ftp://h/v1", "h:99999"):
        with pytest.raises(UsageError, match="address") as caught:
            open_model("local:m", url, environ={})
        assert key not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("name", "url", "environ", "expected"),
    [
        ("openai:m", "", {}, "https://api.openai.com/v1"),
        ("anthropic:m", "", {}, "https://api.anthropic.com"),
        ("anthropic:m", "https://gate.example/v1/", {}, "https://gate.example"),
        ("ollama:m", "", {}, "http://127.0.0.1:11434/v1"),
        ("ollama:m", "http://box:11434", {}, "http://box:11434/v1"),
        ("local:m", "", {}, "http://127.0.0.1:8000/v1"),
        ("local:m", "", {"LOCAL_BASE_URL": "http://gpu:9/api"}, "http://gpu:9/api"),
        ("local:m", "http://a:1/v1", {"LOCAL_BASE_URL": "http://b:2/v1"}, "http://a:1/v1"),
        ("OpenAI:ft:m:x", "", {"OPENAI_BASE_URL": "https://p.example/v1"}, "https://p.example/v1"),
    ],
)
def test_the_address_comes_from_the_url_then_the_environment_then_the_provider(name, url, environ, expected):
    keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}

    assert endpoint_of(name, url, environ={**keys, **environ}).url == expected


def test_only_this_machine_is_loopback():
    def is_loopback(url):
        return endpoint_of("local:m", url, environ={}).loopback

    assert all(map(is_loopback, ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9:1")))
    assert not any(map(is_loopback, ("http://10.0.0.1:1", "http://localhost.example:1", "https://example.org")))


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("project_o.models.opening.find_spec", lambda name: None if name == "openai" else object())

    with pytest.raises(ModelMissing, match=r"needs openai: python -m pip install 'project-o\[llm\]'"):
        open_model("ollama:m", environ={})


def test_every_provider_is_told_in_the_option_and_no_option_holds_a_key():
    [option] = [option for option in OPTIONS if option.name == "model"]

    assert all(provider in option.doc for provider in PROVIDERS)
    assert not any("key" in option.name for option in OPTIONS)


def test_the_doctor_says_whether_a_model_could_be_opened(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for variable in ("OPENAI_API_KEY", "PROJECT_O_MODEL", "PROJECT_O_MODEL_URL"):
        monkeypatch.delenv(variable, raising=False)

    [none] = doctor._model({})
    [keyless] = doctor._model({"model": "openai:m"})
    [there] = doctor._model({"model": "local:m", "model_url": "http://127.0.0.1:9/v1"})

    assert (none.ok, none.core) == (True, False)
    assert (keyless.ok, keyless.core) == (False, False)
    assert "OPENAI_API_KEY" in keyless.todo
    assert there.value == "local:m at http://127.0.0.1:9/v1"


def test_importing_the_room_loads_no_library_and_opening_a_model_does():
    code = """
import sys
from project_o import models
heavy = ("pydantic_ai", "openai", "anthropic", "pydantic", "httpx2", "asyncio")
print(*(name for name in heavy if name in sys.modules))
models.endpoint_of("local:m", environ={})
models.open_model("scripted:echo").chat([models.Message("user", "hi")])
print(*(name for name in heavy if name in sys.modules))
models.open_model("local:m", environ={})
print("pydantic_ai" in sys.modules, "anthropic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.split("\n")[:3] == ["", "", "True False"]


@pytest.mark.parametrize("exceptions", ["", "127.0.0.1,localhost"], ids=["without NO_PROXY", "with NO_PROXY"])
def test_a_proxy_of_the_environment_does_not_stand_before_this_machine(opened, protocol, said, monkeypatch, exceptions):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", exceptions)
    monkeypatch.setenv("no_proxy", exceptions)

    assert opened(protocol, "good").chat(said()).text.startswith("Hello")


def test_a_proxy_of_the_environment_stands_before_the_world(said, monkeypatch, standin):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{standin.port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{standin.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    model = open_model("local:good.proxied", "http://model.example/v1", environ={})

    with pytest.raises(ModelError, match="404"):  # the stand-in is no proxy, but it was asked
        model.chat(said())

    assert standin.requests[-1].path == "http://model.example/v1/chat/completions"


def test_what_the_environment_says_for_openai_is_not_told_to_other_servers(opened, said, monkeypatch, standin):
    secrets = {name: f"secret-{name}" for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID")}
    secrets |= {"OPENAI_PROJECT_ID": "secret-project", "OPENAI_CUSTOM_HEADERS": "X-Mine: secret-header"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    for provider in ("local", "ollama"):
        opened(provider, "good").chat(said())

        assert "secret-" not in str(standin.requests[-1])


def test_a_library_that_fails_is_one_error(opened, said, monkeypatch, key):
    def broken(endpoint, http):
        raise RuntimeError(f"no client for {endpoint.key.reveal()}")

    monkeypatch.setattr("project_o.models.adapter._clients", broken)

    with pytest.raises(ModelError, match=r"could not be asked: RuntimeError: no client for \[key\]"):
        opened("openai", "good").chat(said())


def test_the_names_of_the_room_are_those_of_its_seam():
    assert {"Model", "Message", "Reply", "ToolCall", "ToolSpec", "ScriptedModel", "open_model"} <= set(models.__all__)
