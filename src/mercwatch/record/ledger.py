"""The ledger as one set of entries with its releases, and what was known on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeVar

from mercwatch.framework.codebook import Strict
from mercwatch.record.entries import Entry, Release, Withheld
from mercwatch.record.kinds import Action, Actor, Coding, Endorsement, Finding, Source, Withholding

B = TypeVar("B", bound=Strict)


class LedgerError(ValueError):
    """The set of entries contradicts itself."""


@dataclass(frozen=True)
class Snapshot:
    """What is known at one release: for each thing its live entry.

    An entry is live when no known entry supersedes it. The order in which entries came in
    does not matter.
    """

    release: Release
    releases: tuple[Release, ...]
    entries: Mapping[str, Entry]
    withheld: Mapping[str, Withheld] = field(default_factory=dict)

    @cached_property
    def superseded_by(self) -> dict[str, str]:
        """For each superseded entry's name, the name of the entry that replaced it."""
        return {
            old: entry.name
            for entry in sorted(self.entries.values(), key=lambda e: e.name)
            for old in superseded(entry)
        }

    @cached_property
    def live(self) -> dict[str, Entry]:
        """The live entry of each thing, by its id, in the ids' order."""
        found = {e.id: e for e in sorted(self.entries.values(), key=lambda e: e.name) if self.is_live(e.name)}
        return dict(sorted(found.items()))

    def is_live(self, name: str) -> bool:
        """Whether the entry is known and not superseded."""
        return name in self.entries and name not in self.superseded_by

    def all(self, kind: type[B]) -> list[B]:
        """All live bodies of one kind, ordered by id."""
        found = self._by_kind[kind]
        return found  # type: ignore[return-value]

    def get(self, kind: type[B], thing: str) -> B:
        """The live body of a thing; KeyError where there is none of that kind."""
        body = self.live[thing].body
        if not isinstance(body, kind):
            raise KeyError(thing)
        return body

    def history(self, thing: str) -> list[Entry]:
        """Every entry of a thing, oldest release first."""
        return sorted(self._versions[thing], key=lambda e: (self.released_in[e.name].body.number, e.name))

    @cached_property
    def _versions(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries.values():
            found[entry.id].append(entry)
        return found

    @cached_property
    def released_in(self) -> dict[str, Release]:
        """The release that added each entry."""
        return {name: release for release in self.releases for name in release.body.entries}

    def actions_of(self, actor: str) -> list[Action]:
        """The actor's own deeds."""
        return self._of_actor(Action)[actor]  # type: ignore[return-value]

    def findings_on(self, actor: str) -> list[Finding]:
        """Contradicting practice of the actor."""
        return self._of_actor(Finding)[actor]  # type: ignore[return-value]

    def endorsements_of(self, actor: str) -> list[Endorsement]:
        """The instruments that the actor endorsed."""
        return self._of_actor(Endorsement)[actor]  # type: ignore[return-value]

    def codings_of(self, actor: str) -> list[Coding]:
        """All live codings for the actor."""
        return self._of_actor(Coding)[actor]  # type: ignore[return-value]

    def governments(self) -> list[Actor]:
        """All governments, by id."""
        return [actor for actor in self.all(Actor) if actor.type == "government"]

    def organisations(self) -> list[Actor]:
        """Companies, civil society and other bodies, by id."""
        return [actor for actor in self.all(Actor) if actor.type != "government"]

    def sources_of(self, body: Strict) -> list[Source]:
        """The sources that a body names, without those that are withheld."""
        found = (self.live.get(source) for source in getattr(body, "sources", ()))
        return [entry.body for entry in found if entry and isinstance(entry.body, Source)]

    @cached_property
    def _by_kind(self) -> dict[type[Strict], list[Strict]]:
        found: dict[type[Strict], list[Strict]] = defaultdict(list)
        for entry in self.live.values():
            found[type(entry.body)].append(entry.body)
        return found

    @cached_property
    def _actor_index(self) -> dict[type[Strict], dict[str, list[Strict]]]:
        return {}

    def _of_actor(self, kind: type[B]) -> dict[str, list[Strict]]:
        if kind not in self._actor_index:
            index: dict[str, list[Strict]] = defaultdict(list)
            for body in self.all(kind):
                index[body.actor].append(body)  # type: ignore[attr-defined]
            self._actor_index[kind] = index
        return self._actor_index[kind]


@dataclass(frozen=True)
class Ledger:
    """All entries and releases of one replica, as a set."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    withheld: Mapping[str, Withheld] = field(default_factory=dict)

    @classmethod
    def of(
        cls, entries: Iterable[Entry], releases: Iterable[Release] = (), withheld: Iterable[Withheld] = ()
    ) -> Ledger:
        """Build a ledger; LedgerError where the releases do not form one chain."""
        return cls(
            {entry.name: entry for entry in entries},
            chain(releases),
            {gone.name: gone for gone in withheld},
        )

    @cached_property
    def released(self) -> frozenset[str]:
        """Names of all entries that some release holds."""
        return frozenset(name for release in self.releases for name in release.body.entries)

    @property
    def pending(self) -> list[Entry]:
        """Entries that no release holds yet, by id."""
        return sorted(
            (e for e in self.entries.values() if e.name not in self.released), key=lambda e: (e.id, e.name)
        )

    def at(self, release: Release | None = None) -> Snapshot:
        """What is known at a release (the newest by default); LedgerError before the first."""
        if not self.releases:
            raise LedgerError("nothing has been released yet, so there is no answer")
        release = release or self.releases[-1]
        upto = self.releases[: release.body.number]
        names = [name for past in upto for name in past.body.entries]
        return Snapshot(
            release,
            upto,
            {name: self.entries[name] for name in names if name in self.entries},
            {name: self.withheld[name] for name in names if name in self.withheld},
        )

    def known_on(self, day: date) -> Snapshot:
        """What the last release at or before a day knew; LedgerError before the first."""
        past = [r for r in self.releases if date.fromisoformat(r.body.date) <= day]
        if not past:
            first = f"; the first is of {self.releases[0].body.date}" if self.releases else ""
            raise LedgerError(f"nothing had been released on {day}, so there is no answer{first}")
        return self.at(past[-1])

    @cached_property
    def live(self) -> dict[str, list[Entry]]:
        """For each thing its live entries, released or not; more than one is a conflict."""
        gone = {old for entry in self.entries.values() for old in superseded(entry)}
        found: dict[str, list[Entry]] = defaultdict(list)
        for name, entry in sorted(self.entries.items()):
            if name not in gone:
                found[entry.id].append(entry)
        return dict(sorted(found.items()))

    def conflicts(self) -> list[str]:
        """Things with two live entries: only an entry that supersedes both can settle them."""
        return [
            f"{thing}: two live entries, {' and '.join(entry.name for entry in versions)}"
            for thing, versions in self.live.items()
            if len(versions) > 1
        ]


def superseded(entry: Entry) -> tuple[str, ...]:
    """What an entry takes the place of; a withholding keeps what its target had superseded superseded."""
    body = entry.body
    return entry.envelope.supersedes + (body.superseded if isinstance(body, Withholding) else ())


def chain(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Releases in order; LedgerError where two name one predecessor or one is missing."""
    by_previous: dict[str | None, Release] = {}
    found = sorted(releases, key=lambda r: (r.body.number, r.head))
    for release in found:
        rival = by_previous.setdefault(release.body.previous, release)
        if rival.head != release.head:
            raise LedgerError(f"releases {rival.head[:12]} and {release.head[:12]} name one predecessor")
    ordered = list(_walk(by_previous))
    if len(ordered) != len(by_previous):
        lost = next(r for r in found if r not in ordered)
        raise LedgerError(f"release {lost.body.number} ({lost.head[:12]}) does not follow from the first")
    for number, release in enumerate(ordered, start=1):
        if release.body.number != number:
            raise LedgerError(
                f"release {release.head[:12]} says number {release.body.number}, is number {number}"
            )
    return tuple(ordered)


def _walk(by_previous: Mapping[str | None, Release]) -> Iterator[Release]:
    head: str | None = None
    while head in by_previous:
        release = by_previous[head]
        yield release
        head = release.head
