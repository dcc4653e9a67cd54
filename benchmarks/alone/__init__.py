"""An agent left alone with things of which one was made worse: does it find which, and mend it?

    workspace.py   five things in five layers (Lisp, Python, Zig, Rust, a memory's schema), and what makes each worse
    __main__.py    ``python -m benchmarks.alone``: degradations by seed, beside a random chooser, and the record
"""
