"""What of a cell's outputs is kept where: small ones in the state, images as raw files, large ones in ``blobs``.

Base64 text costs 31 ms a megabyte to compress; the raw bytes, stored as they are, 0.3 ms.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..limits import OUTPUT_EVICTABLE_BYTES, OUTPUT_INLINE_BYTES_MAX
from .blobs import Blobs

FILE_KEY, FORM_KEY, BLOB_KEY, SIZE_KEY = "o:file", "o:form", "o:blob", "o:size"
_BINARY = re.compile(r"(image/(?!svg)|audio/|video/|application/(pdf|octet-stream)$)")
_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": base64.b64encode,
    "newline": lambda raw: base64.b64encode(raw) + b"\n",
    "lines": base64.encodebytes,
}
"""The ways in which base64 is written; whichever gives the text back is kept with the bytes."""
_TEXT, _JSON = "text", "json"


def is_binary(mime: str) -> bool:
    """Whether nbformat keeps this MIME type as base64."""
    return bool(_BINARY.match(mime))


def split_outputs(
    outputs: Sequence[Mapping[str, Any]], base: str, blobs: Blobs
) -> tuple[list[dict[str, Any]], list[tuple[str, bytes]]]:
    """Outputs with pointers in the place of what is large, and the files that some of these name. Raises OSError."""
    files: list[tuple[str, bytes]] = []
    slim = []
    for output in outputs:
        one = dict(output)
        if isinstance(one.get("data"), Mapping):
            one["data"] = {mime: _split(mime, value, base, files, blobs) for mime, value in one["data"].items()}
        if "text" in one:
            one["text"] = _text_pointer(one["text"], blobs)
        slim.append(one)
    return slim, files


def _split(mime: str, value: Any, base: str, files: list[tuple[str, bytes]], blobs: Blobs) -> Any:
    if not is_binary(mime):
        return _text_pointer(value, blobs)
    if not isinstance(value, str) or len(value) <= OUTPUT_INLINE_BYTES_MAX:
        return value
    try:
        raw = base64.b64decode(value)
    except (ValueError, binascii.Error):
        return _text_pointer(value, blobs)
    form = next((form for form, make in _FORMS.items() if make(raw).decode() == value), None)
    if form is None:
        return _text_pointer(value, blobs)
    if len(raw) > OUTPUT_EVICTABLE_BYTES:
        return {BLOB_KEY: blobs.put(raw, compress=False), SIZE_KEY: len(raw), FORM_KEY: form}
    extension = re.sub(r"[^a-z0-9]", "", mime.partition("/")[2].lower())[:8] or "bin"
    files.append((f"{base}.out.{len(files)}.{extension}", raw))
    return {FILE_KEY: files[-1][0], FORM_KEY: form}


def _text_pointer(value: Any, blobs: Blobs) -> Any:
    if isinstance(value, str):
        form, text = _TEXT, value
    elif isinstance(value, (dict, list)):
        form, text = _JSON, json.dumps(value, ensure_ascii=False)
    else:
        return value
    if len(text) * 4 <= OUTPUT_EVICTABLE_BYTES:
        return value
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= OUTPUT_EVICTABLE_BYTES:
        return value
    return {BLOB_KEY: blobs.put(data, compress=True), SIZE_KEY: len(data), FORM_KEY: form}


def join_output(
    output: dict[str, Any], read: Callable[[str], bytes], blob: Callable[[str], bytes | None]
) -> dict[str, Any]:
    """The inverse for one output. ``read(file)`` gives a file's bytes, ``blob(hash)`` a large content or None."""
    joined = dict(output)
    if _is_pointer(joined.get("text")):
        found = _from_blob(joined["text"], blob)
        joined["text"] = gone(joined["text"], "text") + "\n" if found is None else found
    if not isinstance(joined.get("data"), dict):
        return joined
    data: dict[str, Any] = {}
    missing = []
    for mime, value in joined["data"].items():
        if is_binary(mime) and isinstance(value, dict) and FILE_KEY in value:
            data[mime] = _FORMS[value[FORM_KEY]](read(value[FILE_KEY])).decode()
        elif _is_pointer(value):
            found = _from_blob(value, blob)
            if found is None:
                missing.append(gone(value, mime))
            else:
                data[mime] = found
        else:
            data[mime] = value
    if missing:
        told = [data["text/plain"]] if isinstance(data.get("text/plain"), str) else []
        data["text/plain"] = "\n".join([*told, *missing])
    return {**joined, "data": data}


def _is_pointer(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {BLOB_KEY, SIZE_KEY, FORM_KEY}


def _from_blob(pointer: Mapping[str, Any], blob: Callable[[str], bytes | None]) -> Any:
    raw = blob(str(pointer[BLOB_KEY]))
    if raw is None:
        return None
    form = pointer.get(FORM_KEY, _TEXT)
    if form in _FORMS:
        return _FORMS[form](raw).decode()
    text = raw.decode("utf-8", "surrogatepass")
    return json.loads(text) if form == _JSON else text


def gone(pointer: Mapping[str, Any], what: str) -> str:
    """What stands in the place of a content that was let go of."""
    return f"[{what} of {pointer.get(SIZE_KEY, 0):,} bytes let go of by the history, sha256 {pointer[BLOB_KEY]}]"


def pointers(text: str) -> set[str]:
    """The hashes of the large contents that a file of outputs names."""
    return set(re.findall(rf'"{BLOB_KEY}": "([0-9a-f]{{64}})"', text))
