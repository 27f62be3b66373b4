"""The linter's rules: each from all that is stated to the problems it sees, by its name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

from mercwatch.framework.codebook import Strict
from mercwatch.framework.yaml12 import read_yaml
from mercwatch.record.dates import parse
from mercwatch.record.kinds import Action, Actor, Endorsement, Finding, Person, Source
from mercwatch.record.lint.stated import Collection, Stated, unquoted
from mercwatch.record.problems import Problem
from mercwatch.record.rules import begun

SAME_TITLE = 0.6  # share of two titles' words; a law and its amendment on one day stay below it
_WORD = re.compile(r"[^\W\d_]{4,}")
_HOST = re.compile(r"^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+$")
_CONVICTION = re.compile(r"(?<!\bno )(?<!\bnot )(?<!\bnot a )\bconvict(?:ed|s|ion|ions)\b", re.IGNORECASE)
_ENDED_FOR = {"acquitted", "discontinued", "delisted"}


@dataclass(frozen=True)
class Wording:
    """The linter's words, read from `wording.yaml`."""

    blame: tuple[str, ...]
    beyond_an_allegation: tuple[str, ...]
    finality: tuple[str, ...]
    roles: tuple[str, ...]
    not_names: tuple[str, ...]
    tracking: tuple[str, ...]

    @classmethod
    def shipped(cls) -> Wording:
        """The words that come with the program."""
        text = files("mercwatch.record.lint").joinpath("wording.yaml").read_text(encoding="utf-8")
        value, _ = read_yaml(text, "wording.yaml")
        if not isinstance(value, dict):
            raise ValueError("wording.yaml is not a mapping")
        return cls(**{name: tuple(map(str, words)) for name, words in value.items()})

    @cached_property
    def blaming(self) -> re.Pattern[str]:
        """Finds a word of blame."""
        return _any(self.blame)

    @cached_property
    def proving(self) -> re.Pattern[str]:
        """Finds words that an allegation does not bear."""
        return _any(self.beyond_an_allegation)

    @cached_property
    def finals(self) -> re.Pattern[str]:
        """Finds a word on how final a conviction is."""
        return _any(self.finality)

    @cached_property
    def named(self) -> re.Pattern[str]:
        """Finds a role with a person's name behind it."""
        roles = "|".join(map(re.escape, self.roles))
        return re.compile(rf"\b(?:{roles})\.?,? ([A-Z][\w'’-]+ (?:(?:al|bin|de|van|von) )?[A-Z][\w'’-]+)")


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


Rule = Callable[[Collection, Wording], Iterator[Problem]]


def lint(collection: Collection, wording: Wording) -> list[Problem]:
    """Every problem that the rules see, in the order of file and line."""
    return sorted({problem for rule in RULES.values() for problem in rule(collection, wording)})


def one_deed_once(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """No two actions of an actor are one deed: one day, one type, and nearly one title."""
    groups: dict[tuple[str, str, str], list[tuple[Stated, Action]]] = defaultdict(list)
    for stated, action in collection.all(Action):
        first = min((stage.date for stage in action.stages), key=lambda text: parse(text).first)
        if parse(first).is_day:
            groups[action.actor, action.type, first].append((stated, action))
    for group in groups.values():
        for (_, one), (where, other) in combinations(group, 2):
            if _alike(one.title, other.title) >= SAME_TITLE:
                yield where.problem("one-deed-once", f"reads like the same deed as {one.id}")


def address_well_formed(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """An address is one that a reader can open, and nothing follows the reader."""
    for where, source in collection.all(Source):
        for fault in _faults(source.address, wording):
            yield where.problem("address-well-formed", f"{source.address}: {fault}")


def own_passage(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """Two facts of one actor that share an address each say their own place in it."""
    users: dict[tuple[str, str], list[tuple[Stated, str | None]]] = defaultdict(list)
    for where, body in collection.all(Action, Finding):
        assert isinstance(body, Action | Finding)  # noqa: S101 - tells the type checker what `all` gave
        for source in collection.sources_of(body):
            users[body.actor, _page(source.address)].append((where, body.where.get(source.id)))
    for (_, page), facts in users.items():
        places: dict[str | None, Stated] = {}
        for where, place in facts if len({w.body.id for w, _ in facts}) > 1 else ():
            if place is None:
                yield where.problem("own-passage", f"shares {page}, so `where` must say its place in it")
            elif (first := places.setdefault(place, where)).body.id != where.body.id:
                yield where.problem("own-passage", f"has the same place in {page} as {first.body.id}")


def deed_before_publication(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """No deed is dated after all its sources were published."""
    for where, body in collection.all(Action, Finding, Endorsement):
        first = parse(body.found).first if isinstance(body, Finding) else begun(body)  # type: ignore[arg-type]
        days = [source.published for source in collection.sources_of(body)]
        known = [parse(day).last for day in days if day]
        if first and known and len(known) == len(days) and first > max(known):
            yield where.problem("deed-before-publication", f"dated {first}, published by {max(known)}")


def published_before_read(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """No source was read before it was published."""
    for where, source in collection.all(Source):
        if source.published and source.read_on and parse(source.published).first > parse(source.read_on).last:
            yield where.problem(
                "published-before-read", f"read {source.read_on}, published {source.published}"
            )


def neutral_wording(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """The record says what was done and how it stands, without words of blame."""
    for where, field, text in _texts(collection):
        if hit := wording.blaming.search(unquoted(text)):
            yield where.problem("neutral-wording", f"{field}: {hit.group(0)!r} is a word of blame")


def stage_of_proof(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """Allegation, finding, charge, conviction (final or not) and acquittal are told apart."""
    for where, finding in collection.all(Finding):
        text = f"{finding.title}. {finding.summary}"
        if finding.state == "allegation" and (hit := wording.proving.search(text)):
            yield where.problem("stage-of-proof", f"an allegation does not say {hit.group(0)!r}")
        if finding.state == "acquittal" and "acquit" not in text.lower():
            yield where.problem("stage-of-proof", "its state is acquittal and its text does not say so")
    for where, body in collection.all(Action, Finding):
        whole = " ".join(where.own_texts.values())
        if _CONVICTION.search(whole) and not wording.finals.search(whole) and _of_this(body, whole):
            yield where.problem("stage-of-proof", "speaks of a conviction, and not of whether it is final")


def people_named(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """People are named only in entries of their own, with the outcome, and not once they are cleared."""
    people = list(collection.all(Person))
    for where, person in people:
        if person.basis != "public-office" and person.outcome is None:
            yield where.problem("people-named", f"named as {person.basis}, and the outcome is not said")
        if person.outcome in _ENDED_FOR:
            yield where.problem("people-named", f"was {person.outcome}, so is not named: withhold the entry")
    for where, field, text in _texts(collection):
        for name in wording.named.findall(text):
            if name not in wording.not_names:
                yield where.problem("people-named", f"{field}: {name!r} looks like a person's name")
        for _, person in people:
            if person.name in text:
                yield where.problem("people-named", f"{field}: names a person; refer to {person.id}")


def one_entry_a_firm(collection: Collection, wording: Wording) -> Iterator[Problem]:
    """Every firm that a fact names is one vendor's or company's name or alias, and no two share a name."""
    names: dict[str, str] = {}
    for where, actor in collection.all(Actor):
        for name in (actor.name, *actor.aliases) if actor.type in ("vendor", "company") else ():
            if (other := names.setdefault(name.lower(), actor.id)) != actor.id:
                yield where.problem("one-entry-a-firm", f"{name!r} is a name of {other} too")
    for where, body in collection.all(Action, Finding):
        for vendor in getattr(body, "vendors", ()):
            if vendor.lower() not in names:
                yield where.problem("one-entry-a-firm", f"no actor has the name or alias {vendor!r}")


RULES: dict[str, Rule] = {
    "one-deed-once": one_deed_once,
    "address-well-formed": address_well_formed,
    "own-passage": own_passage,
    "deed-before-publication": deed_before_publication,
    "published-before-read": published_before_read,
    "neutral-wording": neutral_wording,
    "stage-of-proof": stage_of_proof,
    "people-named": people_named,
    "one-entry-a-firm": one_entry_a_firm,
}


def _texts(collection: Collection) -> Iterator[tuple[Stated, str, str]]:
    for stated in collection.stated:
        for field, text in stated.own_texts.items():
            yield stated, field, text


def _alike(one: str, other: str) -> float:
    first, second = ({word.lower() for word in _WORD.findall(text)} for text in (one, other))
    return len(first & second) / max(1, len(first | second))


def _faults(address: str, wording: Wording) -> Iterator[str]:
    try:
        parts = urlsplit(address)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # a broken port, bracket or host name
        yield str(error)
        return
    if not _HOST.match(host) or host.replace(".", "").isdigit():
        yield f"{host or 'nothing'} is no public host name"
    if parts.username or parts.password:
        yield "it carries a user name or password"
    if port not in (None, 80, 443):
        yield f"port {port} is not a public web port"
    if followed := sorted(set(parse_qs(parts.query)) & set(wording.tracking)):
        yield f"it follows its readers ({', '.join(followed)})"


def _page(address: str) -> str:
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def _of_this(body: Strict, text: str) -> bool:
    """Whether the conviction is of the deed itself: rules and reports speak of convictions in general."""
    return isinstance(body, Finding) or (
        isinstance(body, Action) and body.type in ("prosecution", "judgment")
    )
