"""Is a law in force? What its book tells, with the reason; the book's own word for it is no proof."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mercwatch.framework.yaml12 import shipped


@dataclass(frozen=True, slots=True)
class LawFacts:
    """What a law book says of one law. meta: the front matter's plain values."""

    file: str
    law: str
    title: str
    language: str
    meta: dict[str, str]


@dataclass(frozen=True, slots=True)
class InForce:
    """true, false or null, and why."""

    value: bool | None
    reason: str


@cache
def _words() -> dict[str, object]:
    return dict(shipped(Path(__file__).parent / "in_force.yaml"))


def _key(identifier: str) -> str:
    """One spelling for an identifier and for the address that names the same law."""
    parts = [p for p in re.split(r"[^0-9a-z]+", identifier.lower()) if p and p not in ("eli", "etat", "jo")]
    return "-".join(parts)


def _date(facts: LawFacts) -> str:
    return (
        facts.meta.get("applicability_date")
        or facts.meta.get("publication_date")
        or facts.meta.get("date")
        or ""
    )


def _amends(facts: LawFacts) -> bool:
    titles = _words()["title_amends"]
    assert isinstance(titles, dict)  # noqa: S101 - the shape of our own data file
    return any(word in facts.title.lower() for word in titles.get(facts.language, ()))


def judge(book: list[LawFacts], today: str) -> dict[str, InForce]:
    """For each file what the book tells: repealed by another, replaced under its number, amending only.

    today: ISO 8601; a text that applies later is not called in force.
    """
    repealed: dict[str, LawFacts] = {}
    newest: dict[str, LawFacts] = {}
    for facts in book:
        for named in re.split(r"[;\s]+", facts.meta.get("repeals", "")):
            if named:
                repealed.setdefault(_key(named), facts)
        number = facts.meta.get("sr_number", "")
        later = facts.meta.get("applicability_date", "") > today
        if number and not later and (number not in newest or _date(newest[number]) < _date(facts)):
            newest[number] = facts
    return {facts.file: _judge_one(facts, repealed, newest, today) for facts in book}


def _judge_one(
    facts: LawFacts, repealed: dict[str, LawFacts], newest: dict[str, LawFacts], today: str
) -> InForce:
    status = facts.meta.get("status", "").lower()
    ended = _words()["status_ended"]
    assert isinstance(ended, list)  # noqa: S101 - the shape of our own data file
    if any(word in status for word in ended):
        return InForce(False, f"the law book itself says: {status[:40]}")
    by = repealed.get(_key(facts.law))
    if by is not None and by.file != facts.file:
        return InForce(False, f"{by.law} in the same book names it among what it repeals")
    number, day = facts.meta.get("sr_number", ""), facts.meta.get("applicability_date", "")
    if number:
        return _by_number(facts, number, day, newest.get(number), today)
    return _otherwise(facts)


def _by_number(facts: LawFacts, number: str, day: str, newest: LawFacts | None, today: str) -> InForce:
    """What is told of a text by its number in the book's collection, and by the day from which it applies."""
    if day > today:
        return InForce(None, f"this text applies from {day} only; what applies until then is another")
    if newest is not None and newest.file != facts.file:
        return InForce(False, f"{newest.law} in the same book stands under its number {number}, newer")
    if _amends(facts) or not day:
        return _otherwise(facts)
    return InForce(
        True, f"the newest text under its number {number}, applicable since {day}; no register was asked"
    )


def _otherwise(facts: LawFacts) -> InForce:
    if _amends(facts):
        return InForce(None, "it changes another law; its text lives on there or not at all")
    return InForce(None, "nothing in the book says that it ended; no register was asked")
