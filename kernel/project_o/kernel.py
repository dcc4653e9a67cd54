"""The ``project-o`` kernel: IPython's own kernel that loads the extension as it starts."""

from __future__ import annotations

from typing import Any

from ipykernel.ipkernel import IPythonKernel

from . import load_ipython_extension


class ProjectOKernel(IPythonKernel):
    """An IPython kernel in which ``%load_ext project_o`` has been said."""

    implementation = "project_o"
    banner = "Project O: code that improves itself"

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        # Not through the extension manager: it would print that the extension is loaded when a notebook loads it.
        load_ipython_extension(self.shell)


def main() -> None:
    """Run the kernel, as the kernelspec does."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(kernel_class=ProjectOKernel)


if __name__ == "__main__":
    main()
