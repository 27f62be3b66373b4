"""The codebook as typed objects: recommendations, indicators, levels and their tests."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

RecommendationId = Annotated[str, Field(pattern=r"^R([1-9]|1[01])$")]
IndicatorId = Annotated[str, Field(pattern=r"^R([1-9]|1[01])\.[1-9][0-9]?$")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class Strict(BaseModel):
    """A frozen object that refuses fields it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Kind(StrEnum):
    """How an indicator's levels are to be read."""

    LADDER = "ladder"  # each level asks more than the one below it
    COVERAGE = "coverage"  # each level covers more agencies, classes or elements
    STAGE = "stage"  # each level is a further stage of one procedure
    COUNT = "count"  # a number, no levels
    YES_NO = "yes_no"  # one test


class Stage(StrEnum):
    """The three things that are never mixed: a promise, a rule in force, its application."""

    COMMITTED = "committed"
    IN_FORCE = "in_force"
    APPLIED = "applied"


class CrosswalkRow(Strict):
    """Where another instrument asks for the same; shown in public only when verified."""

    instrument: Text
    item: Text
    verified: bool
    address: str | None = None
    note: str | None = None


class Level(Strict):
    """One level: its test, the stage it shows, and whether its evidence ages out of the window."""

    level: int = Field(ge=1)
    stage: Stage
    test: Text
    windowed: bool = False


class Recommendation(Strict):
    """One of the Blueprint's eleven recommendations, in our working reading."""

    id: RecommendationId
    title: Text
    addressees: tuple[Literal["government", "industry", "civil society"], ...] = Field(min_length=1)
    asks: Text
    crosswalk: tuple[CrosswalkRow, ...] = ()

    @property
    def judged(self) -> tuple[str, ...]:
        """Whose conduct the indicators judge: governments where they are addressed, else all addressees."""
        return ("government",) if "government" in self.addressees else self.addressees


class Indicator(Strict):
    """One question with a test for every level."""

    id: IndicatorId
    meaning: int = Field(ge=1, description="Grows by one when the meaning changes.")
    title: Text
    question: Text
    kind: Kind
    window_months: int | None = Field(default=None, ge=1)
    top_needs_application: bool
    inheritable: bool = Field(default=False, description="Members of the EU are shown the EU's level.")
    levels: tuple[Level, ...] = ()
    counts: tuple[Text, ...] = Field(min_length=1)
    does_not_count: tuple[Text, ...] = Field(min_length=1)
    documents: tuple[Text, ...] = Field(min_length=1, description="What a search must have covered.")
    not_applicable: tuple[str, ...] = ()
    crosswalk: tuple[CrosswalkRow, ...] = ()
    revised_because: Text | None = Field(
        default=None, description="Why this meaning took the last one's place."
    )
    learned_from: tuple[str, ...] = Field(
        default=(), description="Actors whose disagreements shaped this meaning: no measure of it."
    )

    @property
    def recommendation(self) -> str:
        """Id of the recommendation that the indicator belongs to."""
        return self.id.split(".")[0]

    @property
    def top(self) -> int:
        """The highest level, 0 where the indicator has none."""
        return self.levels[-1].level if self.levels else 0

    def level(self, number: int) -> Level:
        """The level of that number; KeyError where the indicator has no such level."""
        for level in self.levels:
            if level.level == number:
                return level
        raise KeyError(f"{self.id} has no level {number}")

    @model_validator(mode="after")
    def _levels_fit_the_kind(self) -> Indicator:
        numbers = [level.level for level in self.levels]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"{self.id}: levels must be numbered 1, 2, 3 in order")
        if (self.kind is Kind.COUNT) != (not numbers):
            raise ValueError(f"{self.id}: a count has no levels, every other kind has at least one")
        if self.kind is Kind.YES_NO and numbers != [1]:
            raise ValueError(f"{self.id}: a yes-or-no question has one test, level 1")
        if any(level.windowed for level in self.levels) and self.window_months is None:
            raise ValueError(f"{self.id}: a windowed level needs window_months")
        if self.top_needs_application and (not self.levels or self.levels[-1].stage is not Stage.APPLIED):
            raise ValueError(f"{self.id}: a top that needs an application must show the stage applied")
        return self


class Term(Strict):
    """A word of the codebook with its meaning: a capability, a class of agencies, a reason."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Text
    meaning: Text


class Codebook(Strict):
    """One version of the codebook."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    published: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    reading: Text = Field(description="How far the reading of the recommendations has been checked.")
    capabilities: tuple[Term, ...] = Field(min_length=1)
    agencies: tuple[Term, ...] = Field(min_length=1)
    not_applicable_reasons: tuple[Term, ...] = Field(min_length=1)
    recommendations: tuple[Recommendation, ...] = Field(min_length=1)
    indicators: tuple[Indicator, ...] = Field(min_length=1)

    @cached_property
    def by_id(self) -> dict[str, Indicator]:
        """Indicators by their ids."""
        return {indicator.id: indicator for indicator in self.indicators}

    def of(self, recommendation: str) -> tuple[Indicator, ...]:
        """The indicators of one recommendation, in the codebook's order."""
        return tuple(i for i in self.indicators if i.recommendation == recommendation)

    @model_validator(mode="after")
    def _fits_together(self) -> Codebook:
        if problems := [*self._used_twice(), *self._unknown()]:
            rules = "; ".join(rule for _, rule in problems)
            raise PydanticCustomError("codebook", "{rules}", {"rules": rules, "problems": problems})
        return self

    def _used_twice(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Ids that two things share, each with the place of the second."""
        for group in ("capabilities", "agencies", "not_applicable_reasons", "recommendations", "indicators"):
            seen: set[str] = set()
            for number, item in enumerate(getattr(self, group)):
                if item.id in seen:
                    yield (group, number, "id"), f"used for two things: {item.id}"
                seen.add(item.id)

    def _unknown(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Recommendations and reasons that indicators name and the codebook lacks."""
        recommendations = {r.id for r in self.recommendations}
        reasons = {r.id for r in self.not_applicable_reasons}
        for number, indicator in enumerate(self.indicators):
            if indicator.recommendation not in recommendations:
                where: tuple[str | int, ...] = ("indicators", number, "id")
                yield where, f"{indicator.id}: there is no recommendation {indicator.recommendation}"
            for place, reason in enumerate(indicator.not_applicable):
                if reason not in reasons:
                    where = ("indicators", number, "not_applicable", place)
                    yield where, f"{indicator.id}: unknown reason {reason}"


def asked_of(actor_type: str, codebook: Codebook) -> tuple[Indicator, ...]:
    """The indicators an actor is assessed on: R1 to R7 for a government, R8 to R11 for an organisation.

    A vendor is what the recommendations are about, so it is asked nothing.
    """
    if actor_type == "vendor":
        return ()
    governments = {f"R{number}" for number in range(1, 8)}
    wanted = actor_type == "government"
    return tuple(i for i in codebook.indicators if (i.recommendation in governments) == wanted)
