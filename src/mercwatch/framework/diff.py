"""What a new codebook changes, and whose codings it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mercwatch.framework.codebook import Codebook, Indicator, Kind, Recommendation, Term


class What(StrEnum):
    """What happened to an indicator, a recommendation or a term."""

    ADDED = "added"
    REMOVED = "removed"
    REWORDED = "re-worded"
    NEW_MEANING = "new meaning"


_CODINGS = {
    What.ADDED: "await coding",
    What.REMOVED: "end",
    What.REWORDED: "carry over",
    What.NEW_MEANING: "await coding",
}
_PLURAL = {"government": "governments", "industry": "industry", "civil society": "civil society"}
_EXPLAINS = ("title", "question", "counts", "does_not_count", "crosswalk", "inheritable")
_DEFINES_A_COUNT = ("question", "counts", "does_not_count")
_GROUPS = {
    "capabilities": "capability",
    "agencies": "agency class",
    "not_applicable_reasons": "reason",
    "recommendations": "recommendation",
}


@dataclass(frozen=True)
class Change:
    """One thing that changed; `whose` names whose codings of it are touched, none for what is not coded."""

    subject: str
    what: What
    whose: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def codings(self) -> str | None:
        """What becomes of the codings: "await coding", "end" or "carry over"; None where there are none."""
        return _CODINGS[self.what] if self.whose else None


class MeaningError(ValueError):
    """Changes of meaning that the new codebook does not declare by a new meaning-version."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def diff(old: Codebook, new: Codebook) -> list[Change]:
    """All changes from one codebook to a later one: terms, recommendations, then indicators.

    MeaningError where something that codings rest on changed under the same meaning-version (a level's test,
    stage or window, the kind, the number of levels, a listed reason; for a count, its question and what
    counts), where a meaning-version grew by more than one or fell, or where the version did not grow.
    """
    if problems := tuple(_undeclared(old, new)):
        raise MeaningError(problems)
    changes: list[Change] = []
    for group, name in _GROUPS.items():
        changes += _of_terms(name, getattr(old, group), getattr(new, group))
    return [*changes, *_of_indicators(old, new)]


def describe(changes: Sequence[Change]) -> str:
    """The changes as text, one a line with its details below, and at the end whose codings wait."""
    if not changes:
        return "Nothing changed; all codings carry over."
    lines: list[str] = []
    for change in changes:
        tail = f"; codings of {_and(change.whose)} {change.codings}" if change.whose else ""
        lines.append(f"{change.subject}: {change.what}{tail}")
        lines += [f"    {detail}" for detail in change.details]
    return "\n".join([*lines, *_waiting(changes)])


def _waiting(changes: Sequence[Change]) -> Iterator[str]:
    for who in _PLURAL.values():
        subjects = [c.subject for c in changes if who in c.whose and c.codings == "await coding"]
        if subjects:
            yield f"To be coded for all {'of ' if who != 'governments' else ''}{who}: {', '.join(subjects)}"


def _undeclared(old: Codebook, new: Codebook) -> Iterator[str]:
    if _number(new.version) <= _number(old.version):
        yield f"version {new.version} does not come after {old.version}"
    for indicator in new.indicators:
        before = old.by_id.get(indicator.id)
        if before is None:
            continue
        if indicator.meaning not in (before.meaning, before.meaning + 1):
            yield f"{indicator.id}: meaning {indicator.meaning} cannot follow {before.meaning}"
        elif indicator.meaning == before.meaning:
            for detail in _in_meaning(before, indicator):
                yield f"{indicator.id}: {detail}, so meaning must be {before.meaning + 1}"


def _of_indicators(old: Codebook, new: Codebook) -> Iterator[Change]:
    for indicator in new.indicators:
        before = old.by_id.get(indicator.id)
        if before is None:
            yield Change(indicator.id, What.ADDED, _whose(indicator, new))
        elif before != indicator:
            same = before.meaning == indicator.meaning
            yield Change(
                indicator.id,
                What.REWORDED if same else What.NEW_MEANING,
                _whose(indicator, new),
                (*_in_meaning(before, indicator), *_in_words(before, indicator)),
            )
    for indicator in old.indicators:
        if indicator.id not in new.by_id:
            yield Change(indicator.id, What.REMOVED, _whose(indicator, old))


def _of_terms(
    name: str, old: Sequence[Term | Recommendation], new: Sequence[Term | Recommendation]
) -> Iterator[Change]:
    before = {item.id: item for item in old}
    after = {item.id: item for item in new}
    for item in new:
        if item.id not in before:
            yield Change(f"{name} {item.id}", What.ADDED)
        elif before[item.id] != item:
            yield Change(f"{name} {item.id}", What.REWORDED)
    for item in old:
        if item.id not in after:
            yield Change(f"{name} {item.id}", What.REMOVED)


def _in_meaning(old: Indicator, new: Indicator) -> Iterator[str]:
    """What differs of that which a coding rests on."""
    if old.kind != new.kind:
        yield f"kind changed from {old.kind} to {new.kind}"
    if old.window_months != new.window_months:
        yield f"window changed from {_months(old)} to {_months(new)}"
    if old.top_needs_application != new.top_needs_application:
        yield f"the top {'now needs' if new.top_needs_application else 'no longer needs'} an application"
    if old.top != new.top:
        yield f"levels changed from {old.top} to {new.top}"
    for before, after in zip(old.levels, new.levels, strict=False):
        if before.test != after.test:
            yield f"level {after.level}: the test changed"
        if before.stage != after.stage:
            yield f"level {after.level}: the stage changed from {before.stage} to {after.stage}"
        if before.windowed != after.windowed:
            must = "must now" if after.windowed else "need no longer"
            yield f"level {after.level}: the evidence {must} be in the window"
    for reason in sorted(set(old.not_applicable) - set(new.not_applicable)):
        yield f"the reason {reason} is no longer listed"
    if old.kind == new.kind == Kind.COUNT:
        yield from _changed(old, new, _DEFINES_A_COUNT)


def _in_words(old: Indicator, new: Indicator) -> Iterator[str]:
    """What differs of that which explains the question."""
    defining = _DEFINES_A_COUNT if old.kind == new.kind == Kind.COUNT else ()
    yield from _changed(old, new, [field for field in _EXPLAINS if field not in defining])
    for reason in sorted(set(new.not_applicable) - set(old.not_applicable)):
        yield f"the reason {reason} is newly listed"
    if old.documents != new.documents:
        yield "documents changed: an answer of 0 needs a search that covers the new list"


def _changed(old: Indicator, new: Indicator, fields: Sequence[str]) -> Iterator[str]:
    for field in fields:
        if getattr(old, field) != getattr(new, field):
            yield f"{field} changed"


def _whose(indicator: Indicator, codebook: Codebook) -> tuple[str, ...]:
    judged = next(r.judged for r in codebook.recommendations if r.id == indicator.recommendation)
    return tuple(_PLURAL[who] for who in judged)


def _months(indicator: Indicator) -> str:
    return f"{indicator.window_months} months" if indicator.window_months else "none"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)
