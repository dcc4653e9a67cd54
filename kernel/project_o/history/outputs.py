"""IOPub messages become the outputs of a cell, by nbclient's rules.

The same messages give what papermill stores, except that neighbouring pieces of one stream are joined: how a
``print`` loop was cut into messages is a matter of timing, and says nothing. Progress bars keep their carriage
returns, as they do in papermill's file. Widget state is not kept; output that an Output widget takes is left out
of the cell, as nbclient does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..limits import DISPLAY_IDS_MAX, JOURNAL_RECORD_BYTES_MAX, OUTPUT_BYTES_MAX, OUTPUT_INLINE_BYTES_MAX

DISPLAYS = ("execute_result", "display_data", "update_display_data")
Output = dict[str, Any]


class StreamText:
    """The text of one stream output, bounded: beyond OUTPUT_BYTES_MAX characters only head, tail and hash stay."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._hash: Any = None
        self._head = self._tail = ""

    def add(self, text: str) -> None:
        """Append a piece."""
        self._size += len(text)
        if self._hash is None:
            self._parts.append(text)
            if self._size <= OUTPUT_BYTES_MAX:
                return
            text = "".join(self._parts)
            self._parts = []
            self._hash = hashlib.sha256()
            self._head = text[:OUTPUT_INLINE_BYTES_MAX]
        self._hash.update(text.encode("utf-8", "surrogatepass"))
        self._tail = (self._tail + text)[-OUTPUT_INLINE_BYTES_MAX:]

    def text(self) -> str:
        """What is kept."""
        if self._hash is None:
            self._parts = ["".join(self._parts)]
            return self._parts[0]
        missing = self._size - len(self._head) - len(self._tail)
        note = (
            f"[... {missing} of {self._size} characters left out of the history, sha256 {self._hash.hexdigest()} ...]"
        )
        return f"{self._head}\n{note}\n{self._tail}"


class CellOutputs:
    """The outputs of one execution while it runs."""

    def __init__(self, cell: str) -> None:
        self.cell = cell
        self.execution_count: int | None = None
        self._outputs: list[Output] = []
        self._streams: dict[int, StreamText] = {}
        self._clear_next = False
        self._bytes = 0
        self._left_out = 0

    def __len__(self) -> int:
        return len(self._outputs)

    def clear(self) -> None:
        """Forget what there is."""
        self._outputs.clear()
        self._streams.clear()
        self._bytes = 0

    def clear_before_next(self) -> None:
        """``clear_output(wait=True)``."""
        self._clear_next = True

    def about_to_append(self) -> bool:
        """Carry out a delayed clear; whether there was one."""
        cleared, self._clear_next = self._clear_next, False
        if cleared:
            self.clear()
        return cleared

    def stream(self, name: str, text: str) -> None:
        """Add to the last output if it is this stream, else begin one."""
        if not (self._outputs and self._outputs[-1]["output_type"] == "stream" and self._outputs[-1]["name"] == name):
            self._streams[len(self._outputs)] = StreamText()
            self._outputs.append({"output_type": "stream", "name": name, "text": ""})
        self._streams[len(self._outputs) - 1].add(text)

    def append(self, output: Output) -> bool:
        """Add an output that is no stream; False where the cell has no room left."""
        data = output.get("data") or {}
        self._bytes += sum(len(value) for value in data.values() if isinstance(value, str))
        if self._bytes > JOURNAL_RECORD_BYTES_MAX:
            self._left_out += 1
            return False
        self._outputs.append(output)
        return True

    def replace(self, index: int, data: Any, metadata: Any) -> None:
        """What ``update_display_data`` does to one output."""
        self._outputs[index]["data"] = data
        self._outputs[index]["metadata"] = metadata

    def result(self) -> tuple[Output, ...]:
        """The outputs as nbformat stores them."""
        done = [dict(output) for output in self._outputs]
        for index, stream in self._streams.items():
            done[index]["text"] = stream.text()
        if self._left_out:
            text = f"[{self._left_out} outputs left out of the history: over {JOURNAL_RECORD_BYTES_MAX} bytes]\n"
            done.append({"output_type": "stream", "name": "stderr", "text": text})
        return tuple(done)


class Reducer:
    """All executions of a session: displays of earlier cells may be updated by later ones."""

    def __init__(self) -> None:
        self._displays: dict[str, dict[str, list[int]]] = {}
        self._cells: dict[str, CellOutputs] = {}
        self._hooks: dict[str, list[str]] = {}
        self._widgets: dict[str, str] = {}

    def start(self, cell: str) -> CellOutputs:
        """A cell begins to run; its former outputs are gone."""
        self._forget_displays(cell)
        self._cells.pop(cell, None)
        return CellOutputs(cell)

    def _forget_displays(self, cell: str) -> None:
        for places in self._displays.values():
            places.pop(cell, None)

    def message(
        self, outputs: CellOutputs, parent: str, kind: str, content: Mapping[str, Any]
    ) -> dict[str, CellOutputs]:
        """Apply one message of the execution ``parent``; the other cells that it changed."""
        if kind.startswith("comm"):
            self._comm(kind, content)
            return {}
        transient = content.get("transient")
        display = transient.get("display_id") if transient else None
        changed = self._update(display, content, outputs.cell) if display and kind in DISPLAYS else {}
        if "execution_count" in content:
            outputs.execution_count = content["execution_count"]
        if self._hooks.get(parent):
            return changed
        if kind == "clear_output":
            if content.get("wait"):
                outputs.clear_before_next()
            else:
                outputs.clear()
                self._forget_displays(outputs.cell)
        elif kind in ("stream", "error", "display_data", "execute_result"):
            self._append(outputs, kind, content, display)
        return changed

    def _append(self, outputs: CellOutputs, kind: str, content: Mapping[str, Any], display: str | None) -> None:
        if outputs.about_to_append():
            self._forget_displays(outputs.cell)
        if kind == "stream":
            outputs.stream(content["name"], content["text"])
            return
        keys = ("ename", "evalue", "traceback") if kind == "error" else ("data", "metadata")
        output: Output = {"output_type": kind, **{key: content[key] for key in keys}}
        if kind == "execute_result":
            output["execution_count"] = content["execution_count"]
        if outputs.append(output) and display:
            self._remember(display, outputs)

    def _remember(self, display: str, outputs: CellOutputs) -> None:
        self._displays.setdefault(display, {}).setdefault(outputs.cell, []).append(len(outputs) - 1)
        self._cells[outputs.cell] = outputs
        if len(self._displays) > DISPLAY_IDS_MAX:
            del self._displays[next(iter(self._displays))]
            alive = {cell for places in self._displays.values() for cell in places}
            self._cells = {cell: held for cell, held in self._cells.items() if cell in alive}

    def _update(self, display: str, content: Mapping[str, Any], running: str) -> dict[str, CellOutputs]:
        changed: dict[str, CellOutputs] = {}
        for cell, indices in self._displays.get(display, {}).items():
            held = self._cells.get(cell)
            for index in indices if held else ():
                assert held is not None
                held.replace(index, content["data"], content["metadata"])
                if cell != running:
                    changed[cell] = held
        return changed

    def _comm(self, kind: str, content: Mapping[str, Any]) -> None:
        """An Output widget that is entered (``with out:``) takes the output of the execution it names."""
        state = (content.get("data") or {}).get("state") or {}
        comm = content.get("comm_id", "")
        if kind == "comm_open" and state.get("_model_module") == "@jupyter-widgets/output":
            self._widgets[comm] = ""
        elif kind == "comm_msg" and comm in self._widgets and "msg_id" in state:
            if state["msg_id"]:
                self._widgets[comm] = state["msg_id"]
                self._hooks.setdefault(state["msg_id"], []).append(comm)
            elif comm in self._hooks.get(self._widgets[comm], []):
                self._hooks[self._widgets[comm]].remove(comm)

    def finish(self, parent: str) -> None:
        """An execution ended."""
        self._hooks.pop(parent, None)
