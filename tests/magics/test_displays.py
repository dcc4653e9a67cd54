"""Which view shows which value: the names in the table are those that the views know."""


def test_every_value_with_a_view_is_named():
    from project_o.magics.displays import WITH_A_VIEW
    from project_o.view import VIEWS

    named = {(module, name) for module, names in WITH_A_VIEW.items() for name in names}
    assert {(kind.__module__, kind.__name__) for kind in VIEWS} == named
