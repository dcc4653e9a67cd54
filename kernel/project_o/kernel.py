"""The ``project-o`` kernel: IPython's own kernel that loads the extension as it starts."""

from __future__ import annotations

import sys
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from . import load_ipython_extension
from .errors import ProjectOError


class ProjectOKernel(IPythonKernel):
    """An IPython kernel in which ``%load_ext project_o`` has been said."""

    implementation = "project_o"
    banner = "Project O: code that improves itself"

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        # Not through the extension manager: it would print that the extension is loaded when a notebook loads it.
        try:
            load_ipython_extension(self.shell)
        except ProjectOError as error:
            # A kernel that cannot start says nothing at all: this one starts, and %load_ext tells it again.
            print(f"project_o is not loaded: {error}", file=sys.__stderr__)


def main() -> None:
    """Run the kernel, as the kernelspec does."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(kernel_class=ProjectOKernel)


if __name__ == "__main__":
    main()
