"""What is linted: bodies with the file and line they stand on, and the texts in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from mercwatch.framework.codebook import Strict
from mercwatch.record.dump import ledger_of, scan
from mercwatch.record.kinds import Action, Body, Coding, Context, Finding, Source, Verdict
from mercwatch.record.problems import Problem
from mercwatch.record.sheets import read_sheet

B = TypeVar("B", bound=Strict)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]")
_OWN_TEXTS: dict[type[Strict], tuple[str, ...]] = {
    Action: ("title", "summary", "note"),
    Finding: ("title", "summary", "note", "reply", "found_by", "operator", "operator_established_by"),
    Coding: ("rationale",),
    Context: ("reason",),
    Verdict: ("why",),
}


@dataclass(frozen=True)
class Stated:
    """One body, and where it stands."""

    file: str
    line: int
    body: Body

    def problem(self, rule: str, words: str) -> Problem:
        """A broken rule of this body."""
        return Problem(self.file, self.line, f"{rule}: {self.body.kind} {self.body.id}: {words}")

    @property
    def own_texts(self) -> dict[str, str]:
        """The texts that the record says in its own words, by field."""
        fields = _OWN_TEXTS.get(type(self.body), ())
        found = {name: getattr(self.body, name) for name in fields if getattr(self.body, name)}
        if isinstance(self.body, Action):
            found |= {f"stage {s.stage}": s.note for s in self.body.stages if s.note}
        return found


def unquoted(text: str) -> str:
    """The text without what stands in quotation marks."""
    return _QUOTED.sub(" ¶ ", text)


@dataclass(frozen=True)
class Collection:
    """All that is linted together, in the order of file and line; of a thing, what stands last counts."""

    stated: tuple[Stated, ...]

    @classmethod
    def of(cls, stated: Iterable[Stated]) -> Collection:
        """Keep one body a thing."""
        return cls(tuple({one.body.id: one for one in stated}.values()))

    @cached_property
    def by_id(self) -> Mapping[str, Stated]:
        """Each thing's statement."""
        return {one.body.id: one for one in self.stated}

    def all(self, *kinds: type[B]) -> Iterator[tuple[Stated, B]]:
        """Statements of these kinds with their bodies."""
        for one in self.stated:
            if isinstance(one.body, kinds):
                yield one, one.body

    def sources_of(self, body: Strict) -> list[Source]:
        """The sources that a body names, as far as they are linted too."""
        found = (self.by_id.get(thing) for thing in getattr(body, "sources", ()))
        return [one.body for one in found if one and isinstance(one.body, Source)]


def collect(paths: Iterable[Path]) -> Collection:
    """Read dumps (folders) and sheets (files); Refused where one cannot be read.

    Of a dump only live entries are linted: what was superseded stays as it was published.
    """
    stated: list[Stated] = []
    for path in paths:
        stated += _dump(path) if path.is_dir() else _sheet(path)
    return Collection.of(stated)


def _dump(path: Path) -> list[Stated]:
    read = scan(path)
    live = {entry.name for versions in ledger_of(read).live.values() for entry in versions}
    return [Stated(file, line, entry.body) for file, line, entry in read.entries if entry.name in live]


def _sheet(path: Path) -> list[Stated]:
    return [Stated(row.file, row.line, row.body) for row in read_sheet(path)]
