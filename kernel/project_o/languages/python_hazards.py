"""What Python offers beyond computing: modules and names, with why a proposed text should do without. Lisp too, which
imports the same modules and calls the same names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from . import python_places

if TYPE_CHECKING:
    from ..sandbox.lint import LintRules

_FILES = "it reads or writes files"
_NETWORK = "it uses the network"
_PROCESSES = "it starts or ends processes"
_SYSTEM = "it asks the operating system"
_NATIVE = "it calls native code past every check"
_CODE = "it runs code that nobody sees in the text"
_INSIDE = "it reaches into the interpreter, and so into whoever calls it"
_WHERE = "it finds out where it runs: an answer follows from what is in the arguments"
_WHEN = "it looks at the clock: an answer follows from what is in the arguments"
_OURS = "it reaches what judges and serves it"

_MODULES = {
    _FILES: "dbm fileinput glob linecache mmap pathlib shelve shutil sqlite3 tarfile tempfile zipfile",
    _NETWORK: "aiohttp ftplib http httpx imaplib poplib requests smtplib socket socketserver ssl urllib urllib3 "
    "webbrowser xmlrpc",
    _PROCESSES: "multiprocessing pty signal subprocess",
    _SYSTEM: "fcntl grp nt os posix pwd resource termios",
    _NATIVE: "_ctypes cffi ctypes numpy.ctypeslib",
    _CODE: "code codeop importlib marshal pickle pkgutil runpy site zipimport",
    _INSIDE: "_thread atexit builtins dis faulthandler inspect sysconfig traceback",
    _WHERE: "getpass locale platform uuid",
    _OURS: "IPython ipykernel jupyter_client project_o",
}
_NAMES = {
    _FILES: "open numpy.load numpy.save np.load np.save fromfile genfromtxt loadtxt memmap savetxt savez "
    "savez_compressed tofile",
    _PROCESSES: "subprocess multiprocessing",
    _NETWORK: "socket",
    _SYSTEM: "os",
    _NATIVE: "ctypes ctypeslib",
    _CODE: "eval exec __import__ importlib",
    _INSIDE: "__builtins__ __closure__ __code__ __globals__ __subclasses__ _getframe ag_frame builtins cr_frame f_back "
    "f_builtins f_globals f_locals get_objects get_referents get_referrers gi_frame tb_frame",
    "it waits for somebody to type": "breakpoint input",
    _WHERE: "OWNDATA Thread ThreadPoolExecutor __array_interface__ __file__ __loader__ __module__ __spec__ _os "
    "active_count current_thread environ get_ident get_native_id getallocatedblocks getrefcount globals main_thread "
    "owndata sys.argv sys.executable sys.flags sys.modules sys.path sys.stdin",
    _WHEN: "time.clock_gettime time.ctime time.gmtime time.localtime time.process_time time.process_time_ns "
    "time.strftime time.thread_time time.thread_time_ns time.time time.time_ns "
    "date.today datetime.date.today datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow "
    "datetime.now datetime.today datetime.utcnow",
}
CLOCKS = frozenset(_NAMES[_WHEN].split())
"""What a search within its time asks, too: where an evaluator scores it, that is its business."""
REASONS = {
    **{f"import {name}": reason for reason, names in _MODULES.items() for name in names.split()},
    **{name: reason for reason, names in _NAMES.items() for name in names.split()},
    python_places.SYS: _WHERE,
    python_places.NAME: _WHERE,
    python_places.SPELLED: _INSIDE,
    python_places.OWN: _WHERE,
    python_places.TODAY: _WHEN,
    python_places.IMPORT: "which of two programs it is depends on where it runs: import what is there",
    "import (a computed name)": "nobody can see in the text what it imports",
    "the source": "it cannot be read",
    "": "a proposed text should only compute",
}
REPORTED = {
    "import asyncio": "an event loop",
    "import concurrent": "threads or processes, which the sandbox refuses",
    "import gc": "the collector of the whole process",
    "import random": "chance of its own",
    "import secrets": "chance of its own",
    "import sys": "the interpreter's own settings",
    "import threading": "threads, which the sandbox refuses",
    "__name__": "where it runs, perhaps",
    "setattr": "what others hold may be changed",
    "delattr": "what others hold may be changed",
}
_IMPORT = "import "
_EVERY = (*REASONS, *REPORTED)
_IMPORTED = tuple(what.removeprefix(_IMPORT) for what in _EVERY if what.startswith(_IMPORT) and "(" not in what)
_FORMS = tuple(what for what in _EVERY if what and " " not in what)


def found(language: str, source: str) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in REASONS and REPORTED."""
    from ..sandbox.lint import LANGUAGES, lint

    if language in LANGUAGES:
        for item in lint(source, language, _rules()):
            kind, _, name = item.what.partition(":")
            yield item.line, f"{_IMPORT}{_module(name)}" if kind == "import" else name or item.what
    if language == "python":
        yield from python_places.found(source)


def _module(name: str) -> str:
    """The module of the tables that an import is of: ``os`` for ``os.path``."""
    return next((known for known in _IMPORTED if name == known or name.startswith(known + ".")), name)


@lru_cache(maxsize=1)
def _rules() -> LintRules:
    from ..sandbox.lint import LintRules

    return LintRules(denied_imports=_IMPORTED, denied_forms=_FORMS)
