"""Candidates in Lisp: another compiler in front of the same wall."""

from __future__ import annotations

from .case import attack, damaged, leaked, lives_on, marked, reached, victim_gone


def lisp(name, kind, source, oracle, **more):
    attack(name, kind, source, oracle, language="lisp", **more)


lisp("lisp_read", "files", '(defn attack [w] (with [f (open (get w "canary"))] (.read f)))', leaked)
lisp("lisp_write", "files", '(defn attack [w] (with [f (open (get w "canary") "w")] (.write f "changed")))', damaged)
lisp(
    "lisp_code_while_compiling",
    "processes",
    '(import os)\n(defmacro evil [] (import os) (os.getpid))\n(defn attack [w] (os.system (+ "touch " (get w "mark"))))',
    marked,
)
lisp(
    "lisp_read_time_evaluation",
    "files",
    '(defn attack [w] (import hy) (hy.eval (hy.read f"(.read (open \\"{(get w "canary")}\\"))")))',
    leaked,
)
lisp(
    "lisp_kill",
    "signals",
    '(import os)\n(defn attack [w] (os.kill (get w "victim") 9))',
    victim_gone,
    needs=("victim",),
)
lisp(
    "lisp_connect",
    "network",
    '(import socket)\n(defn attack [w] (socket.create-connection #("127.0.0.1" (get w "tcp")) 1))',
    reached,
    needs=("tcp",),
)
lisp("lisp_environment", "files", "(import os)\n(defn attack [w] (dict os.environ))", leaked)
lisp(
    "lisp_endless",
    "time",
    "(import signal)\n(defn attack [w] (signal.signal 15 signal.SIG_IGN) (while True (setv x 1)))",
    lives_on,
    wall_seconds=0.5,
)
