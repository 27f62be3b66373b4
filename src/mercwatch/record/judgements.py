"""The nouns of judging: who judges, what was judged, what was searched, and which judgement stands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mercwatch.framework.codebook import IndicatorId, Strict
from mercwatch.record.dates import DateText, DayText
from mercwatch.record.types import ActorId, Id, Language, Line, Name, Text


class Coder(Strict):
    """Who judges: a person, or a machine under instructions."""

    kind: Literal["coder"]
    id: Id
    type: Literal["person", "machine"]
    name: Line
    model: Line | None = None
    instructions: Text | None = None
    blind: bool = Field(default=False, description="Saw the tests and the evidence, and nobody's codings.")

    @model_validator(mode="after")
    def _a_machine_has_instructions(self) -> Coder:
        if (self.type == "machine") != (self.model is not None and self.instructions is not None):
            raise ValueError("a machine coder, and only one, says its model and instructions")
        return self


class TestJudged(Strict):
    """One level's test: met or not, by which things, from when, until when."""

    __test__ = False

    level: int = Field(ge=1)
    met: bool
    by: tuple[Id, ...] = ()
    since: DateText | None = None
    until: DateText | None = None

    @model_validator(mode="after")
    def _met_has_evidence(self) -> TestJudged:
        if self.met and not (self.by and self.since):
            raise ValueError("a test that is met names its evidence (by) and its beginning (since)")
        if not self.met and (self.since or self.until):
            raise ValueError("a test that is not met has no since and no until")
        return self


class Coding(Strict):
    """One coder's judgement of one indicator, at one meaning-version, for one actor.

    `tests` for levels; `answer` only for 0 (with its search log), unknown and not applicable;
    `count` only for an indicator that counts.
    """

    kind: Literal["coding"]
    id: Id
    actor: ActorId
    indicator: IndicatorId
    meaning: int = Field(ge=1)
    coder: Id
    tests: tuple[TestJudged, ...] = ()
    answer: Literal["zero", "unknown", "not-applicable"] | None = None
    search_log: Id | None = None
    reason: str | None = Field(default=None, description="The codebook's reason, if not applicable.")
    count: int | None = Field(default=None, ge=0)
    counted: tuple[Id, ...] = ()
    rationale: Text
    pins: dict[str, Name] = Field(default_factory=dict)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of all things that the coding rests on, each once, in order."""
        cited = [thing for test in self.tests for thing in test.by] + list(self.counted)
        if self.search_log:
            cited.append(self.search_log)
        return tuple(dict.fromkeys(cited))

    @model_validator(mode="after")
    def _one_way_of_judging(self) -> Coding:
        ways = [bool(self.tests), self.answer is not None, self.count is not None]
        if sum(ways) != 1:
            raise ValueError("a coding judges tests, or gives an answer, or a count: exactly one of them")
        if (self.answer == "zero") != (self.search_log is not None):
            raise ValueError("the answer zero, and only that, rests on a search_log")
        if (self.answer == "not-applicable") != (self.reason is not None):
            raise ValueError("the answer not-applicable, and only that, gives a reason")
        levels = [test.level for test in self.tests]
        if len(levels) != len(set(levels)):
            raise ValueError("a level's test is judged once")
        if self.tests and not self.evidence:
            raise ValueError("a coding names its evidence")
        if self.count and not self.counted:
            raise ValueError("a count names what was counted")
        return self


class Context(Strict):
    """A mark: this action or finding bears on no test, and why."""

    kind: Literal["context"]
    id: Id
    about: Id
    coder: Id
    reason: Text


class SearchLog(Strict):
    """What was searched, where and how, and what was hit and why it did not count."""

    kind: Literal["search_log"]
    id: Id
    actor: ActorId
    coder: Id
    indicators: Annotated[tuple[IndicatorId, ...], Field(min_length=1)]
    covers_checklist: bool
    places: Annotated[tuple[Line, ...], Field(min_length=1)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    official_languages_covered: bool
    queries: Annotated[tuple[Line, ...], Field(min_length=1)]
    period: DateText
    searched_on: DayText
    hits: tuple[Text, ...] = ()
    gaps: tuple[Text, ...] = ()

    @property
    def supports_zero(self) -> bool:
        """Whether "nothing found" may rest on it: whole checklist, official languages, no gaps."""
        return self.covers_checklist and self.official_languages_covered and not self.gaps


class Adjudication(Strict):
    """Which codings of a cell stand, and why. Only a person's makes a level final."""

    kind: Literal["adjudication"]
    id: Id
    actor: ActorId
    indicator: IndicatorId
    coder: Id
    stands: Id
    reason: Text
    pins: dict[str, Name] = Field(default_factory=dict)
