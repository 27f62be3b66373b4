"""Rules between things: what a body may refer to, and what its dates and codings must hold to.

Each rule is a small function from a body, what is known, and the codebook to messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mercwatch.framework.codebook import Codebook, Indicator, Kind, Strict
from mercwatch.framework.codebook import Stage as Shown
from mercwatch.record.dates import add_months, parse
from mercwatch.record.kinds import (
    Action,
    Actor,
    Adjudication,
    Body,
    Capture,
    Coder,
    Coding,
    Context,
    Endorsement,
    Finding,
    Instrument,
    Passage,
    Person,
    Recheck,
    SearchLog,
    Source,
    TestJudged,
    Verdict,
    Withholding,
)

SEARCH_LOG_MONTHS = 12
_GOVERNMENT_ONLY = {"R1", "R2", "R3", "R4", "R5"}
_ORGANISATION_ONLY = {"R8", "R9", "R10", "R11"}
_REFERENCES: dict[str, tuple[type[Strict], ...]] = {
    "sources": (Source,),
    "source": (Source,),
    "actor": (Actor,),
    "country": (Actor,),
    "instrument": (Instrument,),
    "coder": (Coder,),
    "people": (Person,),
    "capture": (Capture,),
    "passage": (Passage,),
    "bears_on": (Action,),
    "search_log": (SearchLog,),
}


@dataclass(frozen=True)
class Known:
    """What a body may refer to: live things by id, entries by name, and what is withheld."""

    things: Mapping[str, Body]
    by_name: Mapping[str, Body] = field(default_factory=dict)
    withheld_things: frozenset[str] = frozenset()
    withheld_names: frozenset[str] = frozenset()

    def cited(self, coding: Coding) -> dict[str, Body]:
        """The evidence of a coding as pinned, or as live where it is not pinned yet."""
        found: dict[str, Body] = {}
        for thing in coding.evidence:
            body = self.by_name.get(coding.pins.get(thing, ""), self.things.get(thing))
            if body is not None:
                found[thing] = body
        return found


Rule = Callable[[Any, Known, Codebook], Iterator[str]]


def broken(body: Body, known: Known, codebook: Codebook) -> list[str]:
    """Every rule that a live body breaks, in words."""
    rules = (_references_exist, *_RULES.get(type(body), ()))
    return [f"{body.kind} {body.id}: {message}" for rule in rules for message in rule(body, known, codebook)]


def used_twice(bodies: Iterable[Coding]) -> dict[str, str]:
    """Codings of one cell by one coder, beyond the first: coding id to message."""
    first: dict[tuple[str, str, str], str] = {}
    found: dict[str, str] = {}
    for body in bodies:
        other = first.setdefault((body.actor, body.indicator, body.coder), body.id)
        if other != body.id:
            found[body.id] = f"coding {body.id}: {body.coder} has coded this cell already, in {other}"
    return found


def begun(body: Body) -> date | None:
    """The first day that a deed or endorsement may have begun on; None where no date is known."""
    if isinstance(body, Action):
        return min(parse(stage.date).first for stage in body.stages)
    if isinstance(body, Endorsement) and body.date:
        return parse(body.date).first
    return None


def _references_exist(body: Body, known: Known, codebook: Codebook) -> Iterator[str]:
    for name, kinds in _REFERENCES.items():
        value = getattr(body, name, None)
        for thing in value if isinstance(value, tuple) else (value,) if value else ():
            yield from _refers(name, thing, kinds, known)
    for thing in getattr(body, "about", ()) if isinstance(body, Action) else ():
        yield from _refers("about", thing, (Actor,), known)


def _refers(name: str, thing: str, kinds: tuple[type[Strict], ...], known: Known) -> Iterator[str]:
    if thing in known.withheld_things:
        return
    target = known.things.get(thing)
    wanted = " or ".join(kind.__name__.lower() for kind in kinds)
    if target is None:
        unknown = "unknown government" if kinds == (Actor,) and thing.isupper() else f"there is no {wanted}"
        yield f"{name}: {unknown} {thing}"
    elif not isinstance(target, kinds):
        yield f"{name}: {thing} is a {target.kind}, not a {wanted}"


def _deed_before_its_publication(body: Body, known: Known, codebook: Codebook) -> Iterator[str]:
    first = parse(body.found).first if isinstance(body, Finding) else begun(body)
    published = [s.published for s in _sources(body, known)]
    days = [parse(day).last for day in published if day]
    if first and days and len(days) == len(published) and first > max(days):
        yield f"it is dated {first}, after every source was published (the last on {max(days)})"


def _found_after_conduct(body: Finding, known: Known, codebook: Codebook) -> Iterator[str]:
    if body.conduct and parse(body.conduct).first > parse(body.found).last:
        yield f"it was found ({body.found}) before it was done ({body.conduct})"


def _read_after_publication(body: Source, known: Known, codebook: Codebook) -> Iterator[str]:
    if body.published and body.read_on and parse(body.published).first > parse(body.read_on).last:
        yield f"it was read ({body.read_on}) before it was published ({body.published})"


def _recommendations_fit(body: Action | Finding, known: Known, codebook: Codebook) -> Iterator[str]:
    ids = {recommendation.id for recommendation in codebook.recommendations}
    for recommendation in body.recommendations:
        if recommendation not in ids:
            yield f"there is no recommendation {recommendation}"


def _places_are_in_its_sources(body: Action | Finding, known: Known, codebook: Codebook) -> Iterator[str]:
    for source in body.where:
        if source not in body.sources:
            yield f"where: {source} is not one of its sources"


def _firms_are_known(body: Actor, known: Known, codebook: Codebook) -> Iterator[str]:
    for relation in body.related:
        yield from _refers("related", relation.actor, (Actor,), known)


def _something_to_be_about(body: Context, known: Known, codebook: Codebook) -> Iterator[str]:
    yield from _refers("about", body.about, (Action, Finding), known)


def _target_known(body: Withholding, known: Known, codebook: Codebook) -> Iterator[str]:
    if body.target not in known.by_name and body.target not in known.withheld_names:
        yield f"there is no entry {body.target}"


def _stands_for_its_cell(body: Adjudication, known: Known, codebook: Codebook) -> Iterator[str]:
    coding = known.things.get(body.stands)
    if not isinstance(coding, Coding) or (coding.actor, coding.indicator) != (body.actor, body.indicator):
        yield f"stands: {body.stands} is no coding of {body.actor} {body.indicator}"


def _verdict_is_of_its_government(body: Verdict, known: Known, codebook: Codebook) -> Iterator[str]:
    actor = known.things.get(body.actor)
    if isinstance(actor, Actor) and actor.type != "government":
        yield f"actor: {body.actor} is no government, and the miner reads governments' laws"
    passage = known.things.get(body.passage or "")
    if isinstance(passage, Passage) and passage.quote_sha256 != body.sha256:
        yield f"passage: {passage.id} has other bytes than the candidate"
    for thing in body.bears_on:
        action = known.things.get(thing)
        if isinstance(action, Action) and action.actor != body.actor:
            yield f"bears_on: {thing} is of {action.actor}, not of {body.actor}"


def _recheck_is_of_its_capture(body: Recheck, known: Known, codebook: Codebook) -> Iterator[str]:
    capture = known.things.get(body.capture)
    if isinstance(capture, Capture) and body.checked < capture.fetched:
        yield f"checked: {body.checked} is before the capture, of {capture.fetched}"
    for now in body.passages:
        passage = known.things.get(now.passage)
        if not isinstance(passage, Passage) or passage.capture != body.capture:
            yield f"passages: {now.passage} is no passage of {body.capture}"


def _passage_is_in_the_text_it_names(body: Passage, known: Known, codebook: Codebook) -> Iterator[str]:
    capture = known.things.get(body.capture or "")
    if not isinstance(capture, Capture):
        return
    if capture.read is None:
        yield f"capture: {capture.id} was not read as text, so nothing can be cut from it"
    elif body.reader is None:
        yield f"reader: is missing; it says which reader made the text of {capture.id}"
    elif capture.read.pages is not None and (body.page or 0) > capture.read.pages:
        yield f"page: {capture.id} has {capture.read.pages} pages"


def _search_log_knows_indicators(body: SearchLog, known: Known, codebook: Codebook) -> Iterator[str]:
    for indicator in body.indicators:
        if indicator not in codebook.by_id:
            yield f"unknown indicator {indicator}"


def _coding_fits_codebook(body: Coding, known: Known, codebook: Codebook) -> Iterator[str]:
    indicator = codebook.by_id.get(body.indicator)
    if indicator is None:
        yield f"unknown indicator {body.indicator}"
        return
    if body.meaning != indicator.meaning:
        if body.meaning > indicator.meaning:
            yield f"{indicator.id} has no meaning-version {body.meaning}"
        return  # an older meaning awaits coding and is not held to the new tests
    yield from _addressee(body, known)
    yield from _evidence(body, known)
    yield from _answer(body, indicator, known)
    for test in body.tests:
        yield from _test(test, body, indicator, known)


def _addressee(body: Coding, known: Known) -> Iterator[str]:
    actor = known.things.get(body.actor)
    recommendation = body.indicator.split(".")[0]
    if not isinstance(actor, Actor):
        return
    if actor.type == "government" and recommendation in _ORGANISATION_ONLY:
        yield f"{recommendation} is not asked of governments"
    if actor.type != "government" and recommendation in _GOVERNMENT_ONLY:
        yield f"{recommendation} is asked of governments only"


def _evidence(body: Coding, known: Known) -> Iterator[str]:
    cited = known.cited(body)
    for thing in body.evidence:
        pinned_away = body.pins.get(thing) in known.withheld_names
        evidence = cited.get(thing)
        if evidence is None:
            if not pinned_away and thing not in known.withheld_things:
                yield f"evidence: there is no {thing}"
        elif not isinstance(evidence, Action | Endorsement | SearchLog):
            yield f"evidence: {thing} is a {evidence.kind}; only actions, endorsements and search logs count"
        elif evidence.actor != body.actor:
            yield f"evidence: {thing} is of {evidence.actor}, not of {body.actor}"


def _answer(body: Coding, indicator: Indicator, known: Known) -> Iterator[str]:
    if (indicator.kind is Kind.COUNT) != (body.count is not None) and body.answer is None:
        yield f"{indicator.id} is a {indicator.kind.value}: code it by {_way(indicator)}"
    if body.answer == "not-applicable" and body.reason not in indicator.not_applicable:
        allowed = ", ".join(indicator.not_applicable) or "none"
        yield f"reason: {body.reason} is not one of {indicator.id}'s reasons ({allowed})"
    log = known.cited(body).get(body.search_log or "")
    if body.answer == "zero" and isinstance(log, SearchLog):
        if indicator.id not in log.indicators:
            yield f"search_log: {log.id} does not cover {indicator.id}"
        if not log.supports_zero:
            yield f"search_log: {log.id} has gaps or does not cover the checklist, so it supports no 0"


def _way(indicator: Indicator) -> str:
    return "a count" if indicator.kind is Kind.COUNT else "its tests"


def _test(test: TestJudged, body: Coding, indicator: Indicator, known: Known) -> Iterator[str]:
    if test.level > indicator.top:
        yield f"level {test.level}: {indicator.id} has no such level"
        return
    if not test.met:
        return
    cited = [evidence for thing, evidence in known.cited(body).items() if thing in test.by]
    stages = {stage.stage for evidence in cited if isinstance(evidence, Action) for stage in evidence.stages}
    level = indicator.level(test.level)
    if level.stage is Shown.IN_FORCE and not stages & {"in_force", "applied"} and not _complete_loss(cited):
        yield f"level {test.level} shows a rule in force, but no evidence has the stage in_force or applied"
    needs = level.windowed or (indicator.top_needs_application and test.level == indicator.top)
    if needs and "applied" not in stages and not _complete_loss(cited):
        yield f"level {test.level} needs an application, but no evidence has the stage applied"
    since = parse(test.since or "")
    days = [day for day in map(begun, cited) if day]
    if days and since.last < max(days):
        yield f"level {test.level}: since {test.since} is before the evidence began ({max(days)})"
    if test.until and parse(test.until).last < since.first:
        yield f"level {test.level}: until {test.until} is before since {test.since}"


def _complete_loss(cited: list[Body]) -> bool:
    """Whether all evidence of a test is withheld: it then says nothing, and the cell is under review."""
    return not cited


def _sources(body: Body, known: Known) -> list[Source]:
    found = (known.things.get(thing) for thing in getattr(body, "sources", ()))
    return [source for source in found if isinstance(source, Source)]


_RULES: dict[type[Strict], tuple[Rule, ...]] = {
    Actor: (_firms_are_known,),
    Action: (_deed_before_its_publication, _recommendations_fit, _places_are_in_its_sources),
    Finding: (
        _deed_before_its_publication,
        _found_after_conduct,
        _recommendations_fit,
        _places_are_in_its_sources,
    ),
    Endorsement: (_deed_before_its_publication,),
    Source: (_read_after_publication,),
    Context: (_something_to_be_about,),
    Withholding: (_target_known,),
    Verdict: (_verdict_is_of_its_government,),
    Passage: (_passage_is_in_the_text_it_names,),
    Recheck: (_recheck_is_of_its_capture,),
    Adjudication: (_stands_for_its_cell,),
    SearchLog: (_search_log_knows_indicators,),
    Coding: (_coding_fits_codebook,),
}


def search_log_ends(log: SearchLog) -> date:
    """The first day on which a search log no longer supports "nothing found"."""
    return add_months(parse(log.searched_on).last, SEARCH_LOG_MONTHS)
