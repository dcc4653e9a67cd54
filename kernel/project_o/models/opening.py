"""``open_model``: from ``provider:model`` to a Model, or one error that says how to get there.

To add a provider: a row in ``PROVIDERS``, a branch in ``adapter.py`` where its wire is another one, and a wire in
the stand-in server of the tests.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import ModelMissing, UsageError, warn
from .endpoint import Endpoint, Patience, Secret
from .scripted import ScriptedModel
from .seam import Model
from .several import SeveralModels
from .tape import TapedModel, tape_at

LOOK_SECONDS = 0.1
KEYRING = "project-o"
"""The service under which the keyring keeps keys."""
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

    Of several, separated by commas, the first that answers does; ``url`` is for those of the first one's provider.
    Keys are read from ``environ`` (the process's environment by default), else from the keyring, and kept nowhere
    else. Nothing is asked of the endpoint yet. Raises ModelMissing where no model is named or the ``llm`` extra or the
    key is missing, UsageError for a name or url that cannot be meant.
    """
    names = names_in(name)
    if len(names) > 1:
        return _several(names, url, environ, patience)
    provider, _, model = name.strip().partition(":")
    if provider == "scripted" and model:
        return _scripted(model)
    endpoint = endpoint_of(name, url, environ=environ)
    return _open_adapter()(endpoint, patience or Patience())


def names_in(text: str) -> list[str]:
    """The models of a setting: one, or several that are separated by commas. A script's own commas separate nothing."""
    providers = "|".join((*PROVIDERS, "scripted"))
    return re.split(rf"\s*,\s*(?=(?:{providers}):)", text.strip(), flags=re.IGNORECASE)


def _several(names: list[str], url: str, environ: Mapping[str, str] | None, patience: Patience | None) -> SeveralModels:
    def opens(name: str) -> Callable[[], Model]:
        of_first = name.partition(":")[0].lower() == names[0].partition(":")[0].lower()
        return lambda: open_model(name, url if of_first else "", environ=environ, patience=patience)

    for name in names:
        if not name.startswith("scripted:"):
            with suppress(ModelMissing):  # a key may be there for one of them only; a name that is none is an error
                endpoint_of(name, "", environ=environ)
    return SeveralModels([(name, opens(name)) for name in names])


def open_configured(name: str, setting: Callable[[str], Any], redact: Callable[[str], str]) -> Model:
    """The model ``name``, else the one that the settings name, on the settings' tape where they name one.

    ``setting`` gives the value of an option by its name. Raises as ``open_model`` does, and UsageError for a tape that
    cannot be read.
    """
    configured = str(setting("model"))
    chosen = name or configured
    same = not configured or chosen.partition(":")[0] == configured.partition(":")[0]
    url = str(setting("model_url")) if same else ""
    path = str(setting("model_tape"))
    if not path:
        return open_model(chosen, url)
    return TapedModel(chosen, tape_at(path, setting("model_tape_mode"), redact), lambda: open_model(chosen, url))


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
    key = environ.get(provider.key_variable, "").strip() or _from_keyring(provider.key_variable)
    if provider.key_needed and not key:
        raise ModelMissing(
            f"models of {provider.name} need a key: set {provider.key_variable} in the environment, before Jupyter "
            f"starts, or keep it with `keyring set {KEYRING} {provider.key_variable}` (a key in a cell or a file "
            "would be kept there)"
        )
    if not (key.isascii() and all(" " < character <= "~" for character in key)):
        raise ModelMissing(f"{provider.key_variable} holds characters that no key has: copy it again")
    return Secret(key)


def _from_keyring(variable: str) -> str:
    """The key that the system's keyring holds, where the package ``keyring`` is installed; "" elsewhere."""
    if find_spec("keyring") is None:
        return ""
    keyring = import_module("keyring")
    try:
        return (keyring.get_password(KEYRING, variable) or "").strip()
    except Exception as error:  # noqa: BLE001 - its backends are foreign code: locked, absent, or without a screen
        warn(f"the keyring does not say whether it holds {variable}: {type(error).__name__}")
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
