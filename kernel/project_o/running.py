"""A papermill engine that tells the kernel which cell it runs, as JupyterLab does.

    papermill --engine project-o in.ipynb out.ipynb        project-o run uses it by itself

nbclient and papermill send a cell's source alone. With its id the history knows a cell again that was edited, and two
cells of the same source apart.
"""

from __future__ import annotations

from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.utils import merge_kwargs, remove_args

NAME = "project-o"


class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill is untyped
    """Executes cells, with their ids in the requests' metadata."""

    _sent: Any = None
    _cell = ""

    def execute_cell(self, cell: Any, cell_index: int, *args: Any, **options: Any) -> Any:
        """Execute one cell."""
        self._cell = str(cell.get("id") or "")
        if self._sent is not self.kc.session:
            self._name_cells(self.kc.session)
        return super().execute_cell(cell, cell_index, *args, **options)

    def _name_cells(self, session: Any) -> None:
        self._sent, make = session, session.msg

        def msg(
            kind: str, content: Any = None, parent: Any = None, header: Any = None, metadata: Any = None
        ) -> dict[str, Any]:
            if kind == "execute_request" and self._cell:
                metadata = {**(metadata or {}), "cellId": self._cell}
            made: dict[str, Any] = make(kind, content, parent, header, metadata)
            return made

        session.msg = msg


class Engine(NBClientEngine):  # type: ignore[misc]  # papermill is untyped
    """papermill's own engine with that client."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,  # noqa: FBT001, FBT002 - papermill's own signature
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **options: Any,
    ) -> Any:
        """Run the cells."""
        known = remove_args(["input_path", "timeout", "startup_timeout"], **options)
        chosen = merge_kwargs(
            known,
            timeout=execution_timeout or options.get("timeout"),
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
        )
        return Client(nb_man, **chosen).execute()


def register() -> str:
    """Make the engine known to papermill in this process; its name."""
    from papermill.engines import papermill_engines

    papermill_engines.register(NAME, Engine)
    return NAME
