"""One release made ready for pages: its snapshot, all scorecards, and who stands where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

from mercwatch.assessment.assess import assess_all
from mercwatch.assessment.cells import Cell, Scorecard
from mercwatch.coding.agreement import Agreement, agreements, wordings
from mercwatch.framework.codebook import Codebook
from mercwatch.framework.load import load, versions
from mercwatch.record.entries import Entry, Release
from mercwatch.record.kinds import (
    Action,
    Actor,
    Capture,
    Coding,
    Context,
    Endorsement,
    Finding,
    Passage,
    Recheck,
    Verdict,
)
from mercwatch.record.ledger import Ledger, Snapshot


@dataclass(frozen=True)
class Edition:
    """What the pages of one release are made from."""

    snapshot: Snapshot
    codebook: Codebook

    @classmethod
    def of(cls, ledger: Ledger) -> Edition:
        """The newest release of a ledger, read with the codebook that it names."""
        snapshot = ledger.at()
        return cls(snapshot, load(snapshot.release.body.codebook))

    @property
    def day(self) -> date:
        """The day that levels are asked for: the release's, never today."""
        return date.fromisoformat(self.snapshot.release.body.date)

    @cached_property
    def cards(self) -> dict[str, Scorecard]:
        """Scorecards of all actors."""
        return assess_all(self.snapshot, self.codebook, self.day)

    @cached_property
    def agreement(self) -> list[Agreement]:
        """How far blind coders agree, for each wording up to this release's codebook."""
        upto = versions()[: versions().index(self.codebook.version) + 1]
        return agreements(self.snapshot, wordings(map(load, upto)), self.day)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of all actors by id."""
        return {actor.id: actor.name for actor in self.snapshot.all(Actor)}

    @cached_property
    def vendors(self) -> frozenset[str]:
        """Ids of the firms of the market."""
        return frozenset(actor.id for actor in self.snapshot.all(Actor) if actor.type == "vendor")

    @cached_property
    def firm_of(self) -> dict[str, str]:
        """For each name of a firm, in lower case, the id of its one entry."""
        firms = [actor for actor in self.snapshot.all(Actor) if actor.type in ("vendor", "company")]
        return {name.lower(): firm.id for firm in firms for name in (firm.name, *firm.aliases)}

    @cached_property
    def facts_naming(self) -> dict[str, list[Action | Finding]]:
        """For each firm the actions and findings that name it, by any of its names."""
        found: dict[str, list[Action | Finding]] = defaultdict(list)
        facts: list[Action | Finding] = [*self.snapshot.all(Action), *self.snapshot.all(Finding)]
        for fact in facts:
            firms = (self.firm_of.get(name.lower()) for name in fact.vendors)
            for firm in dict.fromkeys(firm for firm in firms if firm):
                found[firm].append(fact)
        return found

    @cached_property
    def agencies(self) -> dict[str, str]:
        """The codebook's words for classes of agencies."""
        return {agency.id: agency.title.lower() for agency in self.codebook.agencies}

    @cached_property
    def cells_of(self) -> dict[str, list[Cell]]:
        """For each indicator the cells of all actors that it is asked of, by actor's name."""
        found: dict[str, list[Cell]] = defaultdict(list)
        for actor in sorted(self.cards, key=lambda actor: self.names[actor]):
            for indicator, cell in self.cards[actor].cells.items():
                found[indicator].append(cell)
        return found

    @cached_property
    def codings_on(self) -> dict[str, list[Coding]]:
        """For each piece of evidence the codings that rest on it."""
        found: dict[str, list[Coding]] = defaultdict(list)
        for coding in self.snapshot.all(Coding):
            for thing in coding.evidence:
                found[thing].append(coding)
        return found

    @cached_property
    def context_of(self) -> dict[str, Context]:
        """The context mark of each action or finding that has one."""
        return {mark.about: mark for mark in self.snapshot.all(Context)}

    @cached_property
    def verdicts_on(self) -> dict[str, list[Entry]]:
        """For each government its verdicts on what the miner found; for each action those that bear on it."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.snapshot.live.values():
            if isinstance(entry.body, Verdict):
                for thing in (entry.body.actor, *dict.fromkeys(entry.body.bears_on)):
                    found[thing].append(entry)
        return found

    @cached_property
    def captures_of(self) -> dict[str, list[Capture]]:
        """For each source its captures, the newest first."""
        found: dict[str, list[Capture]] = defaultdict(list)
        for capture in sorted(self.snapshot.all(Capture), key=lambda c: (c.fetched, c.id), reverse=True):
            found[capture.source].append(capture)
        return found

    @cached_property
    def passages_of(self) -> dict[str, list[Passage]]:
        """For each capture the passages that are cited of it, in the text's order."""
        found: dict[str, list[Passage]] = defaultdict(list)
        for passage in sorted(self.snapshot.all(Passage), key=lambda p: (p.start, p.end, p.id)):
            if passage.capture:
                found[passage.capture].append(passage)
        return found

    @cached_property
    def recheck_of(self) -> dict[str, Recheck]:
        """For each capture the last time that its address was asked again."""
        return {r.capture: r for r in sorted(self.snapshot.all(Recheck), key=lambda r: (r.checked, r.id))}

    @cached_property
    def used_by(self) -> dict[str, list[Entry]]:
        """For each source the live entries that name it."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.snapshot.live.values():
            for source in getattr(entry.body, "sources", ()):
                found[source].append(entry)
        return found

    @cached_property
    def endorsers(self) -> dict[str, list[Endorsement]]:
        """For each instrument its endorsements, by actor's name."""
        found: dict[str, list[Endorsement]] = defaultdict(list)
        for endorsement in self.snapshot.all(Endorsement):
            found[endorsement.instrument].append(endorsement)
        return {key: sorted(rows, key=lambda row: self.names[row.actor]) for key, rows in found.items()}

    def findings_under(self, recommendation: str) -> list[Finding]:
        """Contradicting practice, without context, that bears on a recommendation."""
        return [f for f in self.snapshot.all(Finding) if f.series and recommendation in f.recommendations]

    def action(self, thing: str) -> Action | None:
        """The live action of that id, or None."""
        entry = self.snapshot.live.get(thing)
        return entry.body if entry and isinstance(entry.body, Action) else None

    def changed_in(self, things: Iterable[str], actors: Iterable[str] = ()) -> Release:
        """The release in which content made from these things last changed.

        That is the newest one that added an entry of theirs, or told that one of these sources drifted, or
        in whose time a level of one of the actors fell because its evidence had left the window.
        """
        things = list(things)
        numbers = [self._number_of[thing] for thing in things if thing in self._number_of]
        numbers += [self._drifted_in[thing] for thing in things if thing in self._drifted_in]
        numbers += [self._fell_in[actor] for actor in actors if actor in self._fell_in]
        return self.snapshot.releases[max(numbers, default=1) - 1]

    @cached_property
    def _number_of(self) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for release in self.snapshot.releases:
            for name in release.body.entries:
                entry = self.snapshot.entries.get(name)
                if entry:
                    numbers[entry.id] = release.body.number
        return numbers

    @cached_property
    def _drifted_in(self) -> dict[str, int]:
        """For each source the last release in which a recheck told of a drift, or took that back."""
        told: dict[str, int] = {}
        captures = {capture.id: capture.source for capture in self.snapshot.all(Capture)}
        for recheck in self.snapshot.all(Recheck):
            source = captures.get(recheck.capture)
            for before, entry in pairwise([None, *self.snapshot.history(recheck.id)]):
                if source and entry and not (_same_text(before) and _same_text(entry)):
                    number = self.snapshot.released_in[entry.name].body.number
                    told[source] = max(number, told.get(source, 0))
        return told

    @cached_property
    def _fell_in(self) -> dict[str, int]:
        """For each actor the last release at whose day its levels read differently than at the one before."""
        fell: dict[str, int] = {}
        days = [date.fromisoformat(release.body.date) for release in self.snapshot.releases]
        before = None
        for number, day in enumerate(days, start=1):
            if number == 1 or day != days[number - 2]:
                cards = assess_all(self.snapshot, self.codebook, day)
                now = {actor: _levels(card) for actor, card in cards.items()}
                fell |= {actor: number for actor in now if before and before.get(actor) != now[actor]}
                before = now
        return fell


def _same_text(entry: Entry | None) -> bool:
    """Whether a recheck tells of no drift; before the first one nothing is told."""
    return entry is None or (isinstance(entry.body, Recheck) and entry.body.outcome == "unchanged")


def _levels(card: Scorecard) -> list[tuple[object, ...]]:
    return [(cell.state, cell.level, cell.high, cell.until, cell.coming) for cell in card.cells.values()]
