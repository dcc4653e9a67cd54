"""The ``project-o`` kernel: IPython's own kernel that loads the extension as it starts."""

from __future__ import annotations

import warnings
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from . import load_ipython_extension
from .errors import HistoryWarning, ProjectOError, warn


class ProjectOKernel(IPythonKernel):
    """An IPython kernel in which ``%load_ext project_o`` has been said."""

    implementation = "project_o"
    banner = "Project O: code that improves itself"

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        # Not through the extension manager: it would print that the extension is loaded when a notebook loads it.
        said: list[str] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", HistoryWarning)
            try:
                load_ipython_extension(self.shell)
            except ProjectOError as error:
                # A kernel that cannot start says nothing at all: this one starts, and %load_ext tells it again.
                said.append(f"project_o is not loaded: {error}")
        said += [str(item.message) for item in caught]
        if said:
            self._say_in_the_first_cell(said)

    def _say_in_the_first_cell(self, texts: list[str]) -> None:
        """There is no cell yet to show a warning in, and nobody reads the kernel's own error stream."""
        events = self.shell.events

        def say(_info: Any = None) -> None:
            events.unregister("pre_run_cell", say)
            for text in texts:
                warn(text)

        events.register("pre_run_cell", say)


def main() -> None:
    """Run the kernel, as the kernelspec does."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(kernel_class=ProjectOKernel)


if __name__ == "__main__":
    main()
