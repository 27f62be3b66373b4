"""What a blind coder gets on one actor: the codebook's tests and the evidence, and no coding at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from mercwatch.framework.codebook import Codebook, Indicator, asked_of
from mercwatch.record.kinds import Action, Actor, Endorsement, Finding, SearchLog, Source
from mercwatch.record.ledger import Ledger


class Reading(StrEnum):
    """The order in which a coder meets the material; two blind coders get different ones."""

    TESTS_FIRST = "tests-first"  # the codebook from the first indicator on, then the evidence, oldest first
    EVIDENCE_FIRST = "evidence-first"  # the evidence, newest first, then the codebook from the last on


def dossier(ledger: Ledger, codebook: Codebook, actor: str, reading: Reading) -> str:
    """The dossier as Markdown; KeyError where there is no such actor.

    It shows live entries, released or not: facts, endorsements, findings and search logs, each with how far
    its sources were read. Codings, adjudications and marks of context are left out.
    """
    live = {thing: versions[-1].body for thing, versions in ledger.live.items()}
    subject = live[actor]
    if not isinstance(subject, Actor):
        raise KeyError(actor)
    evidence = [b for b in live.values() if getattr(b, "actor", None) == actor]
    sources = {thing: body for thing, body in live.items() if isinstance(body, Source)}
    tests = list(_tests(asked_of(subject.type, codebook)))
    facts = [_fact(body, sources) for body in sorted(evidence, key=_day) if isinstance(body, _SHOWN)]
    if reading is Reading.EVIDENCE_FIRST:
        parts = ["# Evidence, newest first", *reversed(facts), "# Tests, from the last", *reversed(tests)]
    else:
        parts = ["# Tests", *tests, "# Evidence, oldest first", *facts]
    head = f"{subject.name} ({subject.id}), codebook {codebook.version}"
    return "\n\n".join([head, *parts]) + "\n"


_SHOWN = (Action, Endorsement, Finding, SearchLog)


def _day(body: object) -> str:
    if isinstance(body, Action):
        return min(stage.date.removeprefix("../") for stage in body.stages)
    if isinstance(body, Finding):
        return body.found
    return getattr(body, "date", None) or "9999"


def _tests(indicators: Iterable[Indicator]) -> Iterator[str]:
    for indicator in indicators:
        window = f"window {indicator.window_months} months" if indicator.window_months else "no window"
        lines = [f"## {indicator.id} {indicator.title} ({indicator.kind}, {window})", indicator.question]
        for level in indicator.levels:
            aged = ", in the window" if level.windowed else ""
            lines.append(f"- level {level.level} ({level.stage}{aged}): {level.test}")
        lines.append(f"- counts: {'; '.join(indicator.counts)}")
        lines.append(f"- does not count: {'; '.join(indicator.does_not_count)}")
        if indicator.not_applicable:
            lines.append(f"- may be not applicable for: {', '.join(indicator.not_applicable)}")
        yield "\n".join(lines)


def _fact(body: Action | Endorsement | Finding | SearchLog, sources: dict[str, Source]) -> str:
    lines = [f"## {body.kind} `{body.id}`"]
    for name, value in body.model_dump(mode="json", exclude_defaults=True).items():
        if name in ("kind", "id", "actor", "sources", "where", "recommendations"):
            continue
        lines.append(f"- {name}: {_plain(value)}")
    for source in getattr(body, "sources", ()):
        if source in sources:
            place = getattr(body, "where", {}).get(source)
            lines.append(_source(sources[source], place))
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)


def _source(source: Source, place: str | None) -> str:
    where = f", {place}" if place else ""
    dated = f", published {source.published}" if source.published else ""
    return (
        f"- source ({source.nature}, read: {source.read}): {source.publisher}, {source.title}{where}{dated}"
    )
