"""pydantic-ai behind the seam: the only module that knows it. Loaded when a real model is opened."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ModelError
from .seam import Model


def open_adapter(provider: str, model: str, url: str, key: str, environ: Mapping[str, str]) -> Model:
    """The model ``model`` of ``provider`` at ``url``."""
    raise ModelError(f"{provider}:{model} at {url} cannot be reached from this version: use ScriptedModel")
