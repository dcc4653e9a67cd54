"""Values that show themselves: what a verb returns is what the reader sees, and what a program can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ..view import Display

Item = TypeVar("Item")


class Listing(tuple[Item, ...], Generic[Item]):
    """A tuple with a view."""

    _show: Callable[[tuple[Item, ...]], Display]

    def __new__(cls, items: Iterable[Item], show: Callable[[Any], Display]) -> Listing[Item]:
        """A tuple of ``items`` that ``show`` turns into a display."""
        self = super().__new__(cls, items)
        self._show = show
        return self

    def __repr__(self) -> str:
        return self._show(tuple(self)).plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self._show(tuple(self)).bundle()


class Report:
    """Any one value with a view; its attributes are the value's own."""

    def __init__(self, value: Any, show: Callable[[Any], Display]) -> None:
        self.value = value
        self._show = show

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __contains__(self, key: object) -> bool:
        return key in self.value

    def __repr__(self) -> str:
        return self._show(self.value).plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self._show(self.value).bundle()
