"""An error that carries the words of code that nobody has read is shown as text."""

import pytest

from project_o import errors, hidden
from project_o.magics.report import reported
from project_o.values import Diagnostic

HOSTILE = "it said \x1b[2J\x1b]0;title\x07\r\u202eevil\u2066\U000e0041\u3164\x9b31m"


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError(HOSTILE),
        errors.EvolutionError(HOSTILE),
        errors.NativePanic(HOSTILE, function="f"),
        errors.CompileError(HOSTILE),
        errors.CompileError("no", (Diagnostic("error", HOSTILE, 1, 1),)),
        errors.LispError(HOSTILE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_magic_raises_has_no_tricks_in_it(error, capsys):
    @reported
    def magic():
        raise error

    with pytest.raises(type(error)) as caught:
        magic()
    for text in (*caught.value._render_traceback_(), str(caught.value), *capsys.readouterr()):
        assert hidden.replace(text, lambda _: "!") == text
    assert "it said" in "".join(caught.value._render_traceback_())
