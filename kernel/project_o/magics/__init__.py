"""The magics. Each parses its line, calls one function, and returns the value.

    arguments.py   a magic's line -> its arguments, or one UsageError
    report.py      how an error of ours is shown: rich above, one line in the traceback, and the cell fails
    session.py     what one kernel has: its flow, its history, its settings
    native.py      %%zig and %%rust
    evolution.py   %evolve and %%evolve
    agent.py       %%agent and %agent; agent_verbs.py its verbs about proposals, workflows and approvals
    operations.py  %o
    panels.py      where panels with buttons are shown, and by what facts
    displays.py    which view shows which value
    extension.py   loading and unloading

To add a magic: a method in the file of its subject, decorated as the others are, and a row in
``tests/kernel/test_bad_input.py``.
"""
