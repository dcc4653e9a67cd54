"""The ``project-o`` command: the verbs of ``%o``, and ``run`` for notebooks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import ProjectOError, UsageError
from .operations import KERNEL_ONLY, VERBS, Context, run_verb


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 if it worked, 1 if it failed, 2 if it was not understood."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else 2
    if words[0] == "--version":
        print(__version__)
        return 0
    try:
        return _run(words)
    except UsageError as error:
        print(f"project-o: {error}", file=sys.stderr)
        return 2
    except ProjectOError as error:
        print(f"project-o: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _help() -> str:
    lines = [f"  {name:<10} {verb.help}" for name, verb in VERBS.items() if name not in KERNEL_ONLY]
    return "\n".join(
        [
            "usage: project-o VERB ...",
            "",
            "  run        run a notebook, as papermill does: run NOTEBOOK [OUT] [-p NAME VALUE] [--resume]",
            *lines,
            "",
            "The history is that of the working folder.",
        ]
    )


def _run(words: list[str]) -> int:
    if words[0] == "run":
        return _run_notebook(words[1:])
    if words[0] in KERNEL_ONLY:
        raise UsageError(f"{words[0]} speaks of a running kernel: say %o {words[0]} in a notebook")
    context = _context()
    try:
        value = run_verb(context, words, "project-o")
        print(value)
    finally:
        context.flow.history.close()
    if words[0] == "replay":
        return 0 if all(cell.ended == "same" for cell in value) else 1
    if words[0] == "doctor":
        return 0 if all(check.ok for check in value if check.core) else 1
    return 0


def _context() -> Context:
    from .flow import Flow
    from .history import open_history

    history = open_history(Path.cwd(), notebook=None, session=f"terminal-{os.getpid()}")
    history.all_notebooks = True  # the terminal belongs to no notebook: it sees the whole folder's
    flow = Flow(history)
    return Context(flow, {}, "the working folder")


def _run_notebook(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="project-o run", description="Run a notebook with papermill.")
    parser.add_argument("notebook")
    parser.add_argument("out", nargs="?", help="default: NOTEBOOK.out.ipynb beside it")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="parameters")
    parser.add_argument("-k", "--kernel", help="default: the notebook's own")
    parser.add_argument(
        "--resume", action="store_true", help="its runs of evolution go on from the trials that were made before"
    )
    arguments = parser.parse_args(words)
    try:
        import papermill
        from jupyter_client.kernelspec import NoSuchKernel
        from papermill.exceptions import PapermillException, PapermillExecutionError

        from .running import register
    except ModuleNotFoundError:
        raise UsageError("running notebooks needs papermill: python -m pip install papermill") from None
    source = Path(arguments.notebook)
    if not source.is_file():
        raise UsageError(f"there is no notebook {source}")
    out = Path(arguments.out) if arguments.out else source.with_suffix(".out.ipynb")
    # The kernel inherits this: it tells the history which notebook the cells are from.
    os.environ["PROJECT_O_NOTEBOOK"] = str(out.resolve())
    if arguments.resume:
        os.environ["PROJECT_O_RESUME"] = "on"
    parameters: dict[str, Any] = {name: _value(text) for name, text in arguments.parameters}
    try:
        papermill.execute_notebook(
            str(source), str(out), parameters, engine_name=register(), kernel_name=arguments.kernel
        )
    except PapermillExecutionError as error:
        where = f"{source} failed in cell {error.exec_count}"
        print(f"project-o run: {where}: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except (PapermillException, NoSuchKernel, ValueError, OSError, RuntimeError) as error:
        raise UsageError(f"{source}: {error} (-k python3 chooses a kernel)") from None
    print(out)
    return 0


def _value(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    sys.exit(main())
