"""Secrets and sizes: what is kept out of the journal.

Token patterns, and the values of environment variables whose names end in KEY, TOKEN, SECRET or PASSWORD, are
replaced by ``[redacted 8hex]``; the digits are the start of the secret's SHA-256, so equal secrets stay equal.
Outputs over the bound are cut to head and tail with the hash of the whole. Each pattern begins with a literal
that is looked for first: a megabyte without any costs well below a millisecond a pattern.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..limits import OUTPUT_BYTES_MAX, OUTPUT_INLINE_BYTES_MAX

SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
SECRET_CHARACTERS_MIN = 8
FORGOTTEN = "[forgotten]"
_EDGE = r"(?<![A-Za-z0-9_-])"
PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("sk-",), re.compile(_EDGE + r"sk-[A-Za-z0-9_-]{20,}")),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), re.compile(_EDGE + r"gh[pousr]_[A-Za-z0-9]{36,}")),
    (("github_pat_",), re.compile(_EDGE + r"github_pat_[A-Za-z0-9_]{22,}")),
    (("glpat-",), re.compile(_EDGE + r"glpat-[A-Za-z0-9_-]{20,}")),
    (("AKIA", "ASIA"), re.compile(_EDGE + r"A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])")),
    (("AIza",), re.compile(_EDGE + r"AIza[A-Za-z0-9_-]{35}")),
    (("xox",), re.compile(_EDGE + r"xox[abeprs]-[A-Za-z0-9-]{10,}")),
    (("hf_",), re.compile(_EDGE + r"hf_[A-Za-z0-9]{30,}")),
    (("npm_",), re.compile(_EDGE + r"npm_[A-Za-z0-9]{36}")),
    (("pypi-",), re.compile(_EDGE + r"pypi-[A-Za-z0-9_-]{50,}")),
    (("eyJ",), re.compile(_EDGE + r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    (
        ("PRIVATE KEY",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{16,20000}?-----END [A-Z ]*PRIVATE KEY-----"),
    ),
)


def secret_values(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The values to hide, longest first, so that one inside another does not split it."""
    found = {
        value
        for name, value in (os.environ if environ is None else environ).items()
        if SECRET_NAME.search(name) and len(value) >= SECRET_CHARACTERS_MIN
    }
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


MARK = re.compile(r"\[redacted [0-9a-f]{8}\]")


def mark(secret: str) -> str:
    """What stands in a secret's place."""
    return f"[redacted {hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}]"


class Redactor:
    """Replaces secrets, with the values of the environment at the moment ``look`` was last called."""

    def __init__(self, secrets: Iterable[str] | None = None) -> None:
        self.secrets: tuple[str, ...] = secret_values() if secrets is None else tuple(secrets)
        self.forgotten: frozenset[str] = frozenset()

    def look(self) -> bool:
        """Read the environment again; whether the secrets changed."""
        found = secret_values()
        changed = found != self.secrets
        self.secrets = found
        return changed

    def for_all(self, texts: Iterable[str]) -> Redactor:
        """This one; or, where none of the texts holds anything to hide, one that looks for nothing, which is faster."""
        whole = "\n\0\n".join(texts)
        return self if self.text(whole) != whole else _Idle(())

    def text(self, text: str) -> str:
        """``text`` without secrets, and without what was forgotten."""
        for gone in self.forgotten:
            if gone in text:
                text = text.replace(gone, FORGOTTEN)
        for secret in self.secrets:
            if secret in text:
                text = text.replace(secret, mark(secret))
        for literals, pattern in PATTERNS:
            if any(literal in text for literal in literals):
                text = pattern.sub(lambda match: mark(match[0]), text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value without secrets, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key) if isinstance(key, str) else key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def outputs(self, outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Outputs without secrets and within the bounds. Base64 is cut by the bounds, not searched."""
        return [self._output(output) for output in outputs]

    def _output(self, output: Mapping[str, Any]) -> dict[str, Any]:
        from .largeoutputs import is_binary

        clean: dict[str, Any] = {}
        for key, value in output.items():
            if key == "data" and isinstance(value, Mapping):
                clean[key] = {
                    mime: item if is_binary(mime) else cut_value(self.value(item)) for mime, item in value.items()
                }
            else:
                clean[key] = cut_value(self.value(value))
        return _without_large_binaries(clean)


class _Idle(Redactor):
    """For what was looked through already."""

    def text(self, text: str) -> str:
        """As it is."""
        return text

    def value(self, value: Any) -> Any:
        """As it is."""
        return value


def holds_no_secret(text: str) -> bool:
    """Whether nothing in ``text`` looks like a secret, or is one of the environment's."""
    return Redactor().text(text) == text


def cut_value(value: Any) -> Any:
    """A string or JSON value within OUTPUT_BYTES_MAX; a larger JSON value becomes cut text."""
    if isinstance(value, str):
        return cut_text(value)
    if isinstance(value, (dict, list)):
        body = json.dumps(value, default=str)
        return cut_text(body) if len(body) > OUTPUT_BYTES_MAX else value
    return value


def cut_text(text: str) -> str:
    """``text``, or where it is over OUTPUT_BYTES_MAX its head and tail around a line with size and SHA-256."""
    if len(text) * 4 <= OUTPUT_BYTES_MAX:
        return text
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= OUTPUT_BYTES_MAX:
        return text
    digest = hashlib.sha256(data).hexdigest()
    head, tail = data[:OUTPUT_INLINE_BYTES_MAX], data[-OUTPUT_INLINE_BYTES_MAX:]
    missing = len(data) - len(head) - len(tail)
    note = f"\n[... {missing} of {len(data)} bytes left out of the history, sha256 {digest} ...]\n"
    return head.decode("utf-8", "ignore") + note + tail.decode("utf-8", "ignore")


def _without_large_binaries(output: dict[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    if not isinstance(data, dict):
        return output
    for mime, value in list(data.items()):
        if isinstance(value, str) and len(value) > OUTPUT_BYTES_MAX:
            digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
            del data[mime]
            data.setdefault("text/plain", "")
            data["text/plain"] += f"[{mime} of {len(value)} characters left out of the history, sha256 {digest}]"
    return output


def shrink(cell: Mapping[str, Any], bound: int) -> dict[str, Any]:
    """A cell whose largest outputs are replaced by a line with size and SHA-256, until all are within ``bound``."""
    outputs = list(cell.get("outputs", []))
    sizes = [len(json.dumps(output, default=str)) for output in outputs]
    for index in sorted(range(len(outputs)), key=lambda i: -sizes[i]):
        if sum(sizes) <= bound:
            break
        digest = hashlib.sha256(json.dumps(outputs[index], default=str).encode()).hexdigest()
        text = f"[an output of {sizes[index]} bytes left out of the history, sha256 {digest}]\n"
        outputs[index] = {"output_type": "stream", "name": "stderr", "text": text}
        sizes[index] = len(text)
    return {**cell, "outputs": outputs, "changed": [], "source": cut_text(cell["source"])}
