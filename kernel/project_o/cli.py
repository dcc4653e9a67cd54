"""The ``project-o`` command: the verbs of ``%o``, and ``run`` for notebooks."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import __version__, api
from .config import effective, seconds
from .errors import ProjectOError, UsageError
from .operations import KERNEL_ONLY, VERBS, Context, asks_help, run_verb
from .values import Program, Progress

PROGRESS_SECONDS = 5.0
MEANT = (
    "objective", "proposer", "model", "weights", "tokens", "price", "money", "islands", "grid", "replay", "on"
)  # fmt: skip
"""The words of ``evolve`` that are passed on as they are."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 if it worked, 1 if it failed, 2 if it was not understood."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the letters of a table still gets its words
    try:
        code = _run(words)
        sys.stdout.flush()  # here, where a reader that has gone is met, and not as the process ends
        return code
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
            "  evolve     search for a better program: evolve PROGRAM EVALUATOR, or evolve FOLDER; evolve -h",
            *lines,
            "",
            "project-o VERB --help says what a verb takes. The history is that of the working folder.",
        ]
    )


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else 2
    if words[0] in ("--version", "version"):
        print(__version__)
        return 0
    if words[0] == "run":
        return _run_notebook(words[1:])
    if words[0] == "evolve":
        return _evolve(words[1:])
    if words[0] in KERNEL_ONLY and not asks_help(words):
        folder = "; for all notebooks of a folder `history = true`, or false, in project-o.toml says it"
        where = f"say %o {words[0]} in a notebook" + (folder if words[0] in ("on", "off") else "")
        raise UsageError(f"{words[0]} speaks of a running kernel: {where}")
    context = _context()
    try:
        value = run_verb(context, words, "project-o")
        print(value)
    finally:
        context.flow.history.close()
    if asks_help(words):
        return 0
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
    parser.add_argument("-k", "--kernel", help="default: the notebook's own, and python3 where it names none")
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
        chosen = {"kernel_name": arguments.kernel, **_kernel_where_none_is_named(source, arguments.kernel)}
        papermill.execute_notebook(str(source), str(out), parameters, engine_name=register(), **chosen)
    except PapermillExecutionError as error:
        where = f"{source} failed in cell {error.exec_count}"
        print(f"project-o run: {where}: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except NoSuchKernel as error:
        raise UsageError(f"{source}: {error} (-k python3 chooses a kernel)") from None
    except (PapermillException, ValueError, OSError, RuntimeError) as error:
        raise UsageError(f"{source}: {error}") from None
    print(out)
    return 0


def _kernel_where_none_is_named(source: Path, kernel: str | None) -> dict[str, str]:
    """What papermill has to be told of a notebook that a program wrote, and that names no kernel or no language."""
    import nbformat

    about = nbformat.read(source, as_version=4).metadata
    own = about.get("kernelspec", {})
    told = {} if own.get("language") or about.get("language_info", {}).get("name") else {"language": "python"}
    return told if kernel or own.get("name") else {**told, "kernel_name": "python3"}


def _evolve(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="project-o evolve",
        description="Search for a better program. The evaluator is a file in OpenEvolve's form: its scores are "
        "self-reported, and accepted only by you.",
    )
    parser.add_argument(
        "program",
        nargs="+",
        help="the program's file, or its files (the first is run), or the folder of a task; behind it the evaluator's, "
        "by default evaluator.py beside the program",
    )
    parser.add_argument("--config", help="default: config.yaml beside the evaluator")
    parser.add_argument("--trials", type=int, help="how many evaluations, the first program's among them")
    parser.add_argument("--iterations", type=int, help="the same without the first program's")
    parser.add_argument("--budget", help="how long, as 60s or 2m")
    parser.add_argument("--timeout", help="how long one call of the evaluator may take, as 10s")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, help="evaluations at the same time")
    parser.add_argument("--on", metavar="dask://HOST:PORT", help="on the workers of a Dask cluster of this machine")
    parser.add_argument("--proposer", choices=("search", "llm"), help="llm: a language model proposes")
    parser.add_argument("--model", action="append", help="a language model, as provider:name; said again: another one")
    parser.add_argument(
        "--weights", metavar="3,1", type=_numbers, help="how often each; default: by gains for the cost"
    )
    parser.add_argument("--tokens", type=int, help="how many tokens it may cost, in and out together")
    parser.add_argument("--price", nargs=2, type=float, metavar=("IN", "OUT"), help="what a million tokens cost")
    parser.add_argument("--money", type=float, help="the most that it may cost at that price")
    parser.add_argument("--islands", type=int, help="how many populations that meet now and then; default: 1")
    parser.add_argument("--grid", nargs="+", metavar="DESCRIPTOR", help="NAME[:LOW:HIGH[:BINS]]: the best of each cell")
    parser.add_argument("--resume", action="store_true", help="go on from the trials of the same run that was cut off")
    parser.add_argument("--replay", metavar="RUN.json", help="an earlier run: what it holds is not asked again")
    parser.add_argument("--objective", nargs="+", metavar="METRIC", help="what is ranked, where it is another metric")
    parser.add_argument("--out", help="write the best program here; of several files, into this folder")
    parser.add_argument("--record", metavar="RUN.json", help="write the whole run here, for --replay")
    parser.add_argument("--accept", action="store_true", help="and into the program's own file")
    arguments = parser.parse_args(words)
    from .evolution.loop import INTERRUPTED

    context = _context()
    api.use(context.flow)
    try:
        paths = [Path(word) for word in arguments.program]
        evaluator = paths.pop() if len(paths) > 1 else None
        run = api.evolve(paths if len(paths) > 1 else paths[0], evaluator, progress=_progress(), **_options(arguments))
        print(api.page(run))
        if arguments.out:
            _write_out(run.best, Path(arguments.out))
            print(arguments.out)
        if arguments.record:
            Path(arguments.record).write_text(run.to_json(), "utf-8")
        if arguments.accept:
            written = run.accept(self_reported=True)
            print(*(written if isinstance(written, tuple) else [written]), sep="\n")
        return 130 if run.stopped == INTERRUPTED else 0
    finally:
        api.use(None)
        context.flow.history.close()


def _write_out(program: Program, out: Path) -> None:
    """The text of a program, or its files below a folder."""
    if program.language != "files":
        out.write_bytes(program.source.encode("utf-8", "surrogatepass"))
        return
    for name, text in program.files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(text.encode("utf-8", "surrogatepass"))


def _numbers(text: str) -> list[float]:
    return [float(item) for item in text.split(",")]


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was said; what was not is the task's own settings, and ours."""
    settings = effective()
    trials = arguments.trials if arguments.iterations is None else arguments.iterations + 1
    given = {
        "config": arguments.config,
        "trials": trials,
        "budget": seconds(arguments.budget) if arguments.budget else None,
        "timeout": seconds(arguments.timeout) if arguments.timeout else None,
        "seed": arguments.seed,
        "workers": settings["workers"].value if arguments.workers is None else arguments.workers,
        **{name: getattr(arguments, name) for name in MEANT},
        "resume": arguments.resume or settings["resume"].value,
    }
    return {name: value for name, value in given.items() if value is not None}


def _progress() -> Callable[[Progress], None]:
    """A line now and then, on standard error: standard output holds the result alone."""
    from .view.progress import seconds_left, standing

    last = -PROGRESS_SECONDS

    def show(progress: Progress) -> None:
        nonlocal last
        if progress.finished or progress.elapsed_seconds < last + PROGRESS_SECONDS:
            return
        last = progress.elapsed_seconds
        of = f" of {progress.planned}" if progress.planned else ""
        told = f"trials  best ratio {progress.best_ratio:.3f}; {standing(progress)}"
        left = seconds_left(progress)
        end = f"; about {left:.0f} s left" if left is not None else ""
        print(f"{progress.elapsed_seconds:6.0f} s  {progress.done}{of} {told}{end}", file=sys.stderr, flush=True)

    return show


def _value(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    sys.exit(main())
