"""What an agent remembers: texts with where and when they came from, found again by meaning and by words.

The same text twice is one. A corrected one is never recalled again. Past its capacity the block that matters least
leaves, and is listed in ``forgotten``, never dropped in silence. Nothing is kept that looks like a secret.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import AgentError
from ..lisp.specs import MemorySpec
from .blocks.block import Block, Forgotten, Recalled, Recollection, block_id
from .blocks.embedding import batches, entries, ready, teach, teach_again
from .blocks.ranking import Ranking
from .blocks.seam import BlockStore, Entry
from .blocks.splitting import joined, named, storable, text_to_keep
from .embedders import Embedder, embedder_for, feature_codes
from .following import Following, Strategy

__all__ = ["Block", "Forgotten", "Memory", "Recalled", "Recollection", "block_id"]


class Memory:
    """The memory of one agent, or of several that name the same one. Safe to use from any thread.

    It is kept in the file ``path``, which other processes may use too, or in memory. ``changed`` is called with the
    ids of the blocks that came, left or were used. Vectors are made when a question is first asked, or with each
    text from then on. ``model`` opens a model that embeds. Raises AgentError where the file cannot be used.
    """

    def __init__(
        self,
        spec: MemorySpec,
        *,
        path: str = "",
        redact: Callable[[str], str] = lambda text: text,
        changed: Callable[[Memory, frozenset[str]], None] | None = None,
        clock: Callable[[], float] = time.time,
        model: Callable[[str], Any] | None = None,
        store: BlockStore | None = None,
    ) -> None:
        self.spec = self.written = spec
        self._redact = redact
        self._changed = changed
        self._clock = clock
        self._model = model
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._store: BlockStore = store or _open(path)
        self._changes = 0
        self._following: Following | None = None

    # ------------------------------------------------------------------ what is there

    @property
    def name(self) -> str:
        """As it was defined."""
        return self.spec.name

    def __getattr__(self, name: str) -> Any:
        """What it was defined with: ``capacity``, ``top``, ``digest`` and the like are the spec's."""
        if name.startswith("_") or name == "spec":
            raise AttributeError(name)
        return getattr(self.spec, name)

    @property
    def store(self) -> BlockStore:
        """Where the blocks are."""
        return self._store

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is remembered, oldest first."""
        return tuple(self._store.blocks())

    @property
    def superseded(self) -> tuple[Block, ...]:
        """What was corrected: kept to be looked at, and never recalled."""
        return tuple(self._store.blocks(superseded=True))

    @property
    def forgotten(self) -> tuple[Forgotten, ...]:
        """What had to leave, oldest first; the last ``limits.FORGOTTEN_LISTED_MAX`` of them."""
        return tuple(self._store.forgotten())

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors; its ``id``, which says the dimension too, is kept with them."""
        with self._lock:
            if self._embedder is None:
                self._embedder = embedder_for(self.spec, self._model)
            return self._embedder

    def __len__(self) -> int:
        return self._store.count()

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __contains__(self, text: str) -> bool:
        return any(not block.superseded_by for block in self._pieces(text))

    def __repr__(self) -> str:
        return f"<memory {self.name}: {len(self)} of {self.spec.capacity} blocks>"

    # ------------------------------------------------------------------ remember

    def remember(
        self, text: str, source: str = "", *, importance: float = 1.0, scope: str = "", pinned: bool = False
    ) -> Block:
        """Keep a text; the first of its blocks. The same text again is the same block, and a corrected one stays so:
        what it was corrected to is returned. Raises AgentError for no text, or one too long."""
        kept = self._kept(text)
        with self._lock:
            known = self._known(kept)
            if known is not None:
                return known
            like = Block("", "", self._source(source), scope=scope, importance=importance)
            new = self._entries(kept, replace(like, pinned=pinned))
            left = self._make_room(len(new))
            self._store.add(new)
        self._tell({entry.block.id for entry in new} | left)
        return new[0].block

    def remember_all(self, texts: Iterable[str], source: str = "") -> int:
        """Keep many texts, some at a time; how many blocks they became. Known ones are passed over."""
        return sum(self._remember_batch(batch, source) for batch in batches(texts))

    def _remember_batch(self, texts: list[str], source: str) -> int:
        with self._lock:
            like = Block("", "", self._source(source))
            pieces = [block for text in dict.fromkeys(map(self._kept, texts)) for block in self._split(text, like)]
            there = self._store.get([block.id for block in pieces])
            new = [block for block in {block.id: block for block in pieces}.values() if block.id not in there]
            left = self._make_room(len(new))
            self._store.add(self._with_vectors(new))
        self._tell({block.id for block in new} | left)
        return len(new)

    def correct(self, old: str, new: str, source: str = "") -> Block:
        """Keep ``new`` in place of ``old``, which is never recalled again. ``old`` is a text that is remembered, its
        id, or a description that fits one block and no other nearly as well.

        Raises AgentError where nothing fits, or several do: the message names them.
        """
        kept = self._kept(new)
        with self._lock:
            before = self._meant(storable(old))
            if kept == before[0].text and len(before) == 1:
                return before[0]
            like = replace(before[0], source=self._source(source), superseded_by="", uses=0)
            made = self._entries(kept, replace(like, supersedes=before[0].document or before[0].id))
            left = self._make_room(max(0, len(made) - len(before)))
            self._store.supersede([block.id for block in before], made)
        self._tell({block.id for block in before} | {entry.block.id for entry in made} | left)
        return made[0].block

    def pin(self, text: str, *, pinned: bool = True) -> None:
        """Let a text never leave for want of room, or let it again. Raises AgentError where it is not remembered."""
        self._change(text, pinned=pinned)

    def weigh(self, text: str, importance: float) -> None:
        """Say how much a text matters, 1 by default: it breaks ties, and who matters least leaves first."""
        self._change(text, importance=float(importance))

    def forget(self, text: str) -> bool:
        """Take one text out, given as itself or by its id; whether it was there."""
        with self._lock:
            names = frozenset(block.id for block in self._pieces(text) if not block.superseded_by)
            if names:
                self._store.remove(sorted(names), self._clock())
        self._tell(names)
        return bool(names)

    def teach(self, question: str, block: str) -> None:
        """A user said that this block, by its id, answers this question: asked in other words it is found better."""
        with self._lock:
            if block in self._store.get([block]) and question.strip():
                self._ready()
                teach(
                    self._store, self.embedder, [(block, self._redact(storable(question).strip())[: self.spec.block])]
                )
        self._tell({block})

    def note(self, name: str, value: str) -> None:
        """Keep a note beside the blocks; ``store.facts()`` has it."""
        self._store.note(name, value)
        self._tell({block_id(name)}, changed=False)

    # ------------------------------------------------------------------ recall

    def recall(self, query: str, top: int | None = None, scope: str | None = None) -> Recollection:
        """The blocks that fit best, best first, the newer one where two fit alike. At most ``top``.

        ``scope``: of that scope and of everybody's. ``suppressed`` of the answer lists what fitted as well as the last
        of them, and is left out because it is older or matters less.
        """
        with self._lock:
            other, now = self._answering(), self._clock()
            if other is not self:
                return other.recall(query, top, scope)
            found = self.peek(query, top, scope=scope)
            for place, item in enumerate(found):
                used = replace(item.block, uses=item.block.uses + 1, last_used=now)
                found[place] = Recalled(used, item.score)
            names = [item.block.id for item in found]
            self._store.touch(names, now)
        self._tell(names, changed=False)
        return found

    def peek(
        self, query: str, top: int | None = None, without: Collection[str] = (), scope: str | None = None
    ) -> Recollection:
        """What ``recall`` would find, were the blocks ``without`` not there; it does not count as used."""
        if top is not None and (type(top) is not int or top < 1):
            raise AgentError(f"{self.name}: a recall returns from 1 text on, not {top!r}")
        with self._lock:
            if not query.strip() or not len(self):
                return Recollection([])
            self._ready()
            ranking = Ranking(self._store, self.embedder, self.spec.ranking, self._clock())
            return ranking.best(storable(query), top or self.spec.top, scope, without)

    def _answering(self) -> Memory:
        return self if self._following is None else self._following.answering(self, self._changes)

    # ------------------------------------------------------------------ keeping and bringing back

    def move_to(self, path: str) -> None:
        """Be what the file ``path`` holds from now on, empty where there is none. Raises AgentError, and stays then."""
        with self._lock:
            opened = _open(path)
            self._store.close()
            self._store = opened

    def save_to(self, path: str) -> None:
        """Be in the file ``path`` from now on, with everything, and with what is there already. Raises AgentError."""
        with self._lock:
            if not Path(path).exists():
                self._store = self._store.copy_to(path)
                return
            mine = list(self._store.blocks(superseded=None))
            self.move_to(path)
            self._store.add(self._with_vectors(mine))

    def load(
        self,
        blocks: Iterable[Block],
        forgotten: Iterable[Forgotten] = (),
        taught: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Hold these instead of what is there: what an earlier kernel kept, or a state that was restored."""
        with self._lock:
            ordered = sorted(blocks, key=lambda block: block.when)
            listed = list(forgotten)[-limits.FORGOTTEN_LISTED_MAX :]
            self._store.replace(entries(ordered, self.embedder), listed, self.embedder.id)
            teach_again(self._store, self.embedder, taught)
            self._make_room(0)

    def define(self, spec: MemorySpec, written: MemorySpec | None = None) -> frozenset[str]:
        """Go on under another definition of the same name: vectors and blocks are made anew where they have to be.

        ``written`` is what the user wrote, where a strategy chose otherwise.
        """
        with self._lock:
            cut = (spec.block, spec.overlap) != (self.spec.block, self.spec.overlap)
            self.spec, self.written, self._embedder = spec, written or spec, None
            changed = self._cut_anew() if cut else frozenset()
            left = self._make_room(0)
        self._tell(changed | left)
        return left

    def follow(self, strategy: Strategy | None) -> None:
        """Let a function of the notebook choose the settings, or none any more; see ``following``."""
        with self._lock:
            self._following = Following(strategy) if strategy is not None else None

    def beside(self, spec: MemorySpec, *, same_blocks: bool) -> Memory:
        """What this memory would be by another definition: of its own blocks, or of others cut from its texts."""
        shared = self._store if same_blocks else None
        made = Memory(spec, redact=self._redact, clock=self._clock, model=self._model, store=shared)
        if not same_blocks:
            made.load(self._cut(spec), self.forgotten)
        return made

    # ------------------------------------------------------------------ inside

    def _kept(self, text: str) -> str:
        return text_to_keep(text, self.name, self._redact)

    def _source(self, source: str) -> str:
        return storable(self._redact(source))[: limits.MEMORY_SOURCE_CHARACTERS_MAX]

    def _known(self, kept: str) -> Block | None:
        """The text where it is remembered, or what it was corrected to."""
        pieces, seen = self._store.of_document(block_id(kept)), set()
        while pieces and pieces[0].superseded_by and pieces[0].id not in seen:
            seen.add(pieces[0].id)
            pieces = list(self._store.get([pieces[0].superseded_by]).values())
        return pieces[0] if pieces else None

    def _pieces(self, text: str) -> list[Block]:
        """The blocks of a text, given as itself or by an id."""
        text = storable(text)
        named_so = self._store.get([text]).get(text)
        document = (named_so.document or named_so.id) if named_so else block_id(self._redact(text.strip()))
        return self._store.of_document(document)

    def _meant(self, old: str) -> list[Block]:
        """The blocks that a correction is about. Raises AgentError."""
        pieces = [block for block in self._pieces(old) if not block.superseded_by]
        if pieces:
            return pieces
        self._ready()
        found = Ranking(self._store, self.embedder, "sum", self._clock()).meant(old, self.name)
        return [block for block in self._pieces(found.id) if not block.superseded_by]

    def _change(self, text: str, **values: Any) -> None:
        with self._lock:
            pieces = self._pieces(text)
            if not pieces:
                raise AgentError(f"{self.name} does not remember {text!r:.80}")
            for block in pieces:
                self._store.change(replace(block, **values))
        self._tell(frozenset(block.id for block in pieces))

    def _split(self, text: str, like: Block, spec: MemorySpec | None = None) -> list[Block]:
        now, document, spec = self._clock(), block_id(text), spec or self.spec
        return [
            replace(
                like,
                id=name,
                text=piece,
                start=start,
                when=now,
                last_used=now,
                document="" if name == document else document,
            )
            for name, start, piece in named(text, spec.block, spec.overlap)
        ]

    def _entries(self, text: str, like: Block) -> list[Entry]:
        return self._with_vectors(self._split(text, like))

    def _with_vectors(self, blocks: list[Block]) -> list[Entry]:
        if blocks:
            self._ready()
        return entries(blocks, self.embedder)

    def _ready(self) -> None:
        ready(self._store, self.embedder)

    def _cut_anew(self) -> frozenset[str]:
        before, after = list(self._store.blocks(superseded=None)), self._cut(self.spec)
        if {block.id for block in before} == {block.id for block in after}:
            return frozenset()
        self.load(after, self.forgotten)  # what was taught was about blocks of another size
        return frozenset(block.id for block in (*before, *after))

    def _cut(self, spec: MemorySpec) -> list[Block]:
        """Blocks of another size, from the texts that the ones here were cut from."""
        whole: dict[str, list[Block]] = {}
        for block in self._store.blocks(superseded=None):
            whole.setdefault(block.document or block.id, []).append(block)
        made = []
        for pieces in whole.values():
            first = pieces[0]
            new = self._split(joined(pieces), first, spec)
            made += [replace(block, when=first.when, last_used=first.last_used) for block in new]
        return made

    def _make_room(self, coming: int) -> frozenset[str]:
        """Let those that matter least leave until ``coming`` more fit."""
        over = len(self) + coming - self.spec.capacity
        if over <= 0:
            return frozenset()
        least = [block.id for block in self._store.least(over)]
        self._store.remove(least, self._clock())
        return frozenset(least)

    def _tell(self, names: Iterable[str], *, changed: bool = True) -> None:
        told = frozenset(names)
        self._changes += bool(told and changed)
        if told and self._changed is not None:
            self._changed(self, told)


def _open(path: str) -> BlockStore:
    from .blocks.sqlite import SqliteBlocks

    return SqliteBlocks(path or ":memory:", feature_codes)
