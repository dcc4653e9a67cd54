"""Asks a language model for proposals, one at a time.

It waits in a thread of its own, so that a run that is stopped, or over, does not wait for a model: the answer that was
on its way is let go of. An answer that cannot be used is told what was wrong with it, a few times; then that proposal
is the parent once more, which costs no trial. A model that cannot be asked at the very first time is an error; later,
after several failures in a row, the run goes on to its verdict with what it has.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from ... import limits
from ...errors import ModelError
from ...languages import tools_for
from ...models import Message, Model, Reply
from ...values import Program, Proposal, Record, Usage
from ..islands import Islands
from ..task import Task, generator
from .answers import Answer, Unusable, read
from .choice import Choice
from .context import GRAMMAR, Form, Told
from .exchange import Exchange, cost, told

UNUSABLE = "no usable answer"


class Over(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """The run was stopped or is over while a model was waited for."""


class ModelProposer:
    """Proposals of a model. ``replay`` are the exchanges of an earlier run: what they hold is not asked again, and
    without a ``model`` nothing else is. Of several models a ``Choice`` says whose turn it is.

    ``tokens`` ends the asking after so many, in and out together; ``price`` is what a million of each costs, and
    ``money`` what all may cost at that price.
    """

    def __init__(
        self,
        task: Task,
        seed: int,
        model: Model | Choice | None,
        *,
        redact: Callable[[str], str],
        tokens: int | None = None,
        price: tuple[float, float] | None = None,
        money: float | None = None,
        replay: Sequence[Exchange] = (),
    ) -> None:
        self._task, self._seed = task, seed
        self._choice = model if isinstance(model, Choice) else Choice([] if model is None else [model])
        self._model: Model | None = None
        """Whose turn it is."""
        self.islands = Islands(task.program, seed)
        """Who is a parent next; a run that has islands of its own puts them here."""
        instructions = task.foreign.settings.instructions if task.foreign is not None else ""
        self._edits = task.foreign is None or task.foreign.settings.edits
        self._told = Told(task, redact, instructions)
        self._tokens, self._price, self._money = tokens, price, money
        self._replay = {(item.index, item.attempt): item for item in replay}
        self._proposed: list[Proposal] = []
        self._exchanges: list[Exchange] = []
        self._failures = 0
        self._over: Callable[[str], bool] = lambda _: False
        self._kept: Callable[[Exchange], None] = lambda _: None
        self.trouble = ""
        """Why it stopped asking before the run was over, in words; "" where it did not."""

    def begin(
        self,
        over: Callable[[str], bool],
        kept: Callable[[Exchange], None] = lambda _: None,
        earlier: Sequence[Exchange] = (),
    ) -> None:
        """``over`` is asked while a model is waited for, with a line to show: whether the run is. ``kept`` is told each
        new exchange, ``earlier`` are those of the same run that was cut off."""
        self._over, self._kept = over, kept
        self._replay |= {(item.index, item.attempt): item for item in earlier}

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All that was asked and answered."""
        return tuple(self._exchanges)

    @property
    def spent(self) -> str:
        """Requests, tokens and cost so far, in one line."""
        return told(self._exchanges, self._price)

    def ask(self, index: int, records: Sequence[Record]) -> Proposal | None:
        """See ``search.Proposer``. Raises ModelError where the model cannot be asked, and never could."""
        if index <= len(self._proposed):
            return self._proposed[index - 1]
        if self.trouble or self._budget_is_over():
            return None
        parent = self._parent(index, records)
        try:
            made = self._made(index, parent, records)
        except Over:
            return None
        if made is None:
            return None
        self._proposed.append(made)
        return made

    # ------------------------------------------------------------------ one proposal

    def _made(self, index: int, parent: Record, records: Sequence[Record]) -> Proposal | None:
        program = parent.proposal.program
        self._model = self._choice.model((self._seed, index), records, self._exchanges, self._price)
        weak = self._model is not None and self._choice.is_weak(self._model, self._exchanges)
        form: Form = "whole" if not self._edits else "small" if weak else "any"
        messages = self._told.messages(parent, records, self._waiting(records), form)
        why = ""
        for attempt in range(limits.PROPOSAL_ATTEMPTS):
            exchange = self._exchange(index, attempt, messages)
            if exchange is None:
                return None
            if exchange.error:
                if not self._failed(exchange.error):
                    return None
                why = exchange.error
                break
            try:
                if exchange.finish == "length":
                    raise Unusable("it was cut off at its greatest length: answer shorter")
                answer = read(exchange.reply, program)
                if not attempt and (twin := self._twin(program, answer.source)):
                    raise Unusable(f"that is the same program as {twin}: propose something else")
            except Unusable as error:
                why = str(error)
                messages = [
                    *messages,
                    Message("assistant", self._told.redact(exchange.reply)[: limits.PROMPT_PART_CHARACTERS_MAX]),
                    Message(
                        "user",
                        f"That answer cannot be used: {self._told.redact(why)}. Answer again.",
                        grammar=GRAMMAR if self._edits else "",
                    ),
                ]
                continue
            self._failures = 0
            return replace(self._proposal(index, program, answer), island=self.islands.island(index))
        else:
            if not self._failed(f"no answer could be used; the last: {why}"):
                return None
        return Proposal(index, program, (program.digest,), "llm", UNUSABLE, why)

    def _twin(self, parent: Program, source: str) -> str:
        """Which program this is once more; "" for a new one."""
        normalised = tools_for(parent.language).normalised
        text = normalised(source)
        if text == normalised(self._task.program.source):
            return "the first"
        known = (item.index for item in self._proposed if normalised(item.program.source) == text)
        return next((f"that of trial {index}" for index in known), "")

    @staticmethod
    def _proposal(index: int, parent: Program, answer: Answer) -> Proposal:
        program = tools_for(parent.language).with_source(parent, answer.source)
        return Proposal(index, program, (parent.digest,), "llm", answer.form, answer.reason)

    def _failed(self, why: str) -> bool:
        """Count a proposal that came to nothing; whether the next one is asked for."""
        self._failures += 1
        if self._failures >= limits.PROPOSAL_FAILURES_MAX:
            self.trouble = f"the model was asked no more after {self._failures} failures in a row: {why}"
        return not self.trouble

    def _exchange(self, index: int, attempt: int, messages: Sequence[Message]) -> Exchange | None:
        """One request and what came of it, from the record where it is there; None where nothing may be asked."""
        asked = _digest(messages)
        found = self._replay.get((index, attempt))
        if found is None:
            if self._model is None:
                self.trouble = "what was recorded of the model ends here, and no model is configured to go on"
                return None
            if self._budget_is_over():
                return None
            found = self._asked(index, attempt, asked, messages)
            self._kept(found)
        self._exchanges.append(found)
        answered = any(not item.error for item in self._exchanges)
        if found.error and not answered and not self._replay and self._choice.all_were_asked:
            raise ModelError(found.error)
        return found

    def _asked(self, index: int, attempt: int, asked: str, messages: Sequence[Message]) -> Exchange:
        assert self._model is not None, "there is somebody to ask"
        began = time.monotonic()
        try:
            reply = self._waited(messages)
        except ModelError as error:
            seconds = time.monotonic() - began
            return Exchange(index, attempt, asked, error=str(error), model=self._model.name, seconds=seconds)
        seconds = time.monotonic() - began
        name = reply.model or self._model.name
        return Exchange(index, attempt, asked, reply.text, reply.finish, model=name, usage=reply.usage, seconds=seconds)

    def _waited(self, messages: Sequence[Message]) -> Reply:
        """The reply. Raises ModelError, and Over where the run ended before it came."""
        model = self._model
        assert model is not None, "there is somebody to ask"
        done: Future[Reply] = Future()

        def work() -> None:
            try:
                done.set_result(model.chat(messages))
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
                done.set_exception(error)

        # A daemon, which nobody waits for: a request that is under way when the run ends has its own limits.
        threading.Thread(target=work, name="project-o-proposal", daemon=True).start()
        until = time.monotonic() + limits.PROPOSAL_SECONDS_MAX
        while True:
            try:
                return done.result(timeout=limits.STOP_POLL_SECONDS)
            except TimeoutError:
                if done.done():
                    raise
            if self._over(self.spent):
                raise Over
            if time.monotonic() > until:
                raise ModelError(f"{model.name} had not answered after {limits.PROPOSAL_SECONDS_MAX:g} s")

    # ------------------------------------------------------------------ what it is asked about

    def _parent(self, index: int, records: Sequence[Record]) -> Record:
        """Mostly the best program, at times another good one, or the first."""
        better = self.islands.parents(index, records, above=1.0, most=limits.PROMPT_ELITES_MAX)
        program = self._task.program
        unknown = Record(Proposal(0, program, (), "human", "baseline"), "baseline", "", None, 1.0)
        first = next((item for item in records if item.proposal.index == 0), unknown)
        if not better:
            return first
        draw = float(generator(self._seed, "parent", index).random())
        if draw < limits.PARENT_BEST_SHARE:
            return better[0]
        others = [*better[1:], first]
        return others[int(generator(self._seed, "other", index).integers(len(others)))]

    def _waiting(self, records: Sequence[Record]) -> list[Proposal]:
        judged = {item.proposal.index for item in records}
        return [item for item in self._proposed if item.index not in judged and item.operator != UNUSABLE]

    def _budget_is_over(self) -> bool:
        total = sum((item.usage for item in self._exchanges), Usage())
        bounds = []
        if self._tokens is not None and total.input_tokens + total.output_tokens >= self._tokens:
            bounds.append(f"{self._tokens:,} tokens")
        if self._money is not None and cost(total, self._price) >= self._money:
            bounds.append(f"{self._money:g} in money")
        if self._money is not None and self._price is None and total.output_tokens and not total.dollars:
            self.trouble = (
                "the model was asked no more: it has no list price, so that money bounds nothing: give a price"
            )
            return True
        if bounds:
            self.trouble = f"the model was asked no more: its budget of {' and '.join(bounds)} was used up"
        return bool(bounds)


def _digest(messages: Sequence[Message]) -> str:
    body = json.dumps([[item.role, item.text] for item in messages], ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
