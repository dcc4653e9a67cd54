"""``open_model``: from ``provider:model`` to a Model, or one error that says how to get there.

To add a provider: a row in ``PROVIDERS``, a branch in ``adapter.py`` where its wire is another one, and a wire in
the stand-in server of the tests.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from ..errors import ModelMissing, UsageError
from .endpoint import Endpoint, Patience, Secret
from .fallback import FallbackModel
from .recording import ReplayedModel, Tape
from .scripted import ScriptedModel
from .seam import Model

LOOK_SECONDS = 0.1
KEYRING_SERVICE = "project-o"
INSTALL = "python -m pip install 'project-o[llm]'"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where models come from.

    ``key_variable`` is the environment variable that holds the key; ``key_needed`` is False for servers of one's own.
    ``url_variable`` moves the endpoint, which is ``url`` where nothing else says so.
    """

    name: str
    url: str
    key_variable: str
    key_needed: bool
    url_variable: str


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", True, "OPENAI_BASE_URL"),
        Provider("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", True, "ANTHROPIC_BASE_URL"),
        Provider("ollama", "http://127.0.0.1:11434/v1", "OLLAMA_API_KEY", False, "OLLAMA_BASE_URL"),
        Provider("local", "http://127.0.0.1:8000/v1", "LOCAL_API_KEY", False, "LOCAL_BASE_URL"),
    )
}
LIBRARIES = ("pydantic_ai", "openai", "anthropic")

CONFIGURE = (
    INSTALL,
    '%config ProjectO.model = "openai:MODEL"    # or anthropic:MODEL, ollama:MODEL, local:MODEL with model_url',
    "export OPENAI_API_KEY=...    # or ANTHROPIC_API_KEY, before Jupyter starts; ollama and local need none",
)
"""The three lines that configure a model."""


def open_model(
    name: str, url: str = "", *, environ: Mapping[str, str] | None = None, patience: Patience | None = None
) -> Model:
    """The model ``provider:model``, at ``url`` where it is not where its provider usually answers.

    ``openai:A, local:B`` is the first of them that answers; ``replay:PATH`` answers from a recording.

    Keys are read from ``environ`` (the process's environment by default) and kept nowhere else. Nothing is asked of
    the endpoint yet. Raises ModelMissing where no model is named or the ``llm`` extra or the key is missing,
    UsageError for a name or url that cannot be meant.
    """
    if "," in name:
        return _first_of([part for part in name.split(",") if part.strip()], url, environ, patience)
    provider, _, model = name.strip().partition(":")
    if provider == "scripted" and model:
        return _scripted(model)
    if provider == "replay" and model:
        return ReplayedModel(Tape(model.strip()))
    endpoint = endpoint_of(name, url, environ=environ)
    return _open_adapter()(endpoint, patience or Patience())


def _first_of(
    names: Sequence[str], url: str, environ: Mapping[str, str] | None, patience: Patience | None
) -> FallbackModel:
    """Those of several models that can be opened; ``url`` is where the first one is. Raises what the last one does."""
    opened: list[Model] = []
    for number, name in enumerate(names):
        try:
            opened.append(open_model(name, "" if number else url, environ=environ, patience=patience))
        except ModelMissing:
            if not opened and number == len(names) - 1:
                raise
    return FallbackModel(opened)


def _open_adapter() -> Callable[[Endpoint, Patience], Model]:
    """``adapter.open_adapter``. The library behind it takes more than a second to load.

    It is loaded in a thread of its own: Ctrl-C ends the wait at once, and leaves no library half imported.
    """
    done: Future[Callable[[Endpoint, Patience], Model]] = Future()

    def load() -> None:
        try:
            from .adapter import open_adapter

            done.set_result(open_adapter)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            done.set_exception(error)

    threading.Thread(target=load, name="project-o-model-library", daemon=True).start()
    while True:
        try:
            return done.result(timeout=LOOK_SECONDS)
        except TimeoutError:
            if done.done():
                raise


def endpoint_of(name: str, url: str = "", *, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Where ``open_model`` would find the model. Loads and asks nothing; raises what ``open_model`` raises."""
    environ = os.environ if environ is None else environ
    if not name.strip():
        raise ModelMissing("\n".join(("no language model is configured; these three lines configure one:", *CONFIGURE)))
    provider_name, colon, model = (part.strip() for part in name.strip().partition(":"))
    provider = PROVIDERS.get(provider_name.lower())
    if provider is None or not colon or not model:
        raise UsageError(
            f"{name!r} names no model: write provider:model, for instance openai:MODEL; "
            f"providers are {', '.join(PROVIDERS)}"
        )
    address = _address(provider, url, environ)
    missing = missing_libraries()
    if missing:
        raise ModelMissing(f"{name} needs {', '.join(missing)}: {INSTALL}, then restart the kernel")
    key = _key(provider, environ)
    return Endpoint(provider.name, model, address, provider.key_variable, key, _is_loopback(address))


def missing_libraries() -> list[str]:
    """Which of the ``llm`` extra's libraries are not installed. Imports none of them."""
    return [library for library in LIBRARIES if find_spec(library) is None]


def _key(provider: Provider, environ: Mapping[str, str]) -> Secret:
    key = (environ.get(provider.key_variable, "") or _from_keyring(provider.key_variable, environ)).strip()
    if provider.key_needed and not key:
        raise ModelMissing(
            f"models of {provider.name} need a key: set {provider.key_variable} in the environment, before Jupyter "
            f"starts (a key in a cell or a file would be kept there), or keep it in the system's keyring: keyring set "
            f"{KEYRING_SERVICE} {provider.key_variable}"
        )
    if not (key.isascii() and all(" " < character <= "~" for character in key)):
        raise ModelMissing(f"{provider.key_variable} holds characters that no key has: copy it again")
    return Secret(key)


def _from_keyring(variable: str, environ: Mapping[str, str]) -> str:
    """The key that the system's keyring holds for ``project-o``, where the package keyring is installed."""
    if environ is not os.environ or find_spec("keyring") is None:
        return ""
    import keyring

    try:
        return keyring.get_password(KEYRING_SERVICE, variable) or ""
    except Exception:  # noqa: BLE001 - a locked or missing keyring is no key, and each system says that in its own way
        return ""


def _address(provider: Provider, url: str, environ: Mapping[str, str]) -> str:
    chosen = url.strip() or environ.get(provider.url_variable, "").strip() or provider.url
    try:
        parts = urlsplit(chosen)
        _ = parts.port  # a port that is no number is noticed here
    except ValueError:
        raise UsageError(f"the address of {provider.name} cannot be read: write it like {provider.url}") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"the address of {provider.name} holds more than a host and a path; a key belongs into "
            f"{provider.key_variable}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{chosen!r} is no address of a model: write it like {provider.url}")
    path = parts.path.rstrip("/")
    if provider.name == "anthropic":
        path = path.removesuffix("/v1")  # its client adds it
    elif not path:
        path = "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _scripted(model: str) -> ScriptedModel:
    """``scripted:echo`` says back the last message; any other word is what it always says. For tests and lessons."""
    if model == "echo":
        return ScriptedModel(lambda messages, _tools: messages[-1].text if messages else "", name="scripted:echo")
    return ScriptedModel(lambda _messages, _tools: model, name=f"scripted:{model}")
