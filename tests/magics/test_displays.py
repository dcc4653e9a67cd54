"""Which view shows which value: the names in the table are those that the views know."""


def test_every_value_with_a_view_is_named():
    from project_o.magics.displays import WITH_A_VIEW
    from project_o.view import VIEWS

    named = {(module, name) for module, names in WITH_A_VIEW.items() for name in names}
    assert {(kind.__module__, kind.__name__) for kind in VIEWS} == named


def test_a_tool_says_what_it_wants_and_where_it_runs():
    from project_o.lisp.specs import ToolParameter, ToolSpec
    from project_o.magics.displays import SHOWN

    parameters = (ToolParameter("fruit", "string", doc="its <name>"), ToolParameter("count", "integer", False, 1))
    tool = ToolSpec("price-of", "A <b>price</b>.", parameters, len, unsafe=True, timeout_seconds=2.5)
    bundle = SHOWN[type(tool).__module__, "ToolSpec"](tool).bundle()

    assert repr(tool) == "<tool price-of(fruit: string, count: integer = 1)>"
    for said in ("fruit: string - its <name>", "count: integer, 1 where it is left out", "at most 2.5 s"):
        assert said in bundle["text/plain"]
    assert "until a person has approved it" in bundle["text/plain"]
    assert "A &lt;b&gt;price&lt;/b&gt;." in bundle["text/html"]
    assert "<b>" not in bundle["text/html"]
    assert "its &lt;name&gt;" in bundle["text/html"]
