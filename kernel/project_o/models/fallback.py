"""Several models as one: the first that answers does. ``openai:A, local:B`` names them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..errors import ModelError
from ..values import Usage
from .rounds import one_reply, run_rounds
from .seam import Message, Model, Reply, RunTool, ToolSpec


class FallbackModel:
    """Asks the next model where one raises ModelError before its first piece: what was shown is not shown twice.

    Vectors of two models do not compare, so ``embed`` asks the first that has ever answered, and no other after it.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self.name = ", ".join(model.name for model in models)
        self._models = tuple(models)
        self._embeds: Model | None = None

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The first answer. Raises ModelError with what each of them said, where none came."""
        problems: list[str] = []
        for model in self._models:
            begun = False
            try:
                for piece in model.stream(messages, tools):
                    begun = True
                    yield piece
                return
            except ModelError as error:
                if begun:
                    raise
                problems.append(str(error))
        raise self._none(problems)

    def chat(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Reply:
        """One answer."""
        return one_reply(self.stream(messages, tools))

    def tools(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        run: RunTool,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As every model does it: see ``rounds.run_rounds``."""
        return run_rounds(self, messages, tools, run, on_text)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, all by one model."""
        problems: list[str] = []
        for model in (self._embeds,) if self._embeds is not None else self._models:
            try:
                vectors = model.embed(texts)
            except ModelError as error:
                problems.append(str(error))
            else:
                self._embeds = model
                return vectors
        raise self._none(problems)

    def usage(self) -> Usage:
        """What was asked of all of them."""
        total = Usage()
        for model in self._models:
            total += model.usage()
        return total

    def _none(self, problems: Sequence[str]) -> ModelError:
        told = "; ".join(f"{number}. {problem}" for number, problem in enumerate(problems, 1))
        return ModelError(f"none of {len(self._models)} models answered: {told}")
