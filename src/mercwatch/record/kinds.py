"""The nouns: what an entry's body may say, kind by kind.

A thing has a stable id, which is its address on the site. References between things are by id;
a coding alone pins its evidence by entry name as well (`pins`, filled in by `mercwatch add`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mercwatch.framework.codebook import RecommendationId, Strict
from mercwatch.record.dates import DateText, DayText
from mercwatch.record.judgements import Adjudication, Coder, Coding, Context, SearchLog, TestJudged
from mercwatch.record.texts import Capture, HowRead, Passage, PassageNow, Recheck, Stamp, Verdict
from mercwatch.record.types import ActorId, Address, Id, Language, Line, Name, Sources, Text

__all__ = [
    "Action",
    "Actor",
    "ActorId",
    "Address",
    "Adjudication",
    "Agency",
    "Body",
    "Capability",
    "Capture",
    "Coder",
    "Coding",
    "Context",
    "Correction",
    "Endorsement",
    "Finding",
    "HowRead",
    "Id",
    "Instrument",
    "Language",
    "Line",
    "Membership",
    "Name",
    "Passage",
    "PassageNow",
    "Person",
    "Recheck",
    "Relation",
    "Reply",
    "SearchLog",
    "Source",
    "Sources",
    "StageOfAction",
    "Stamp",
    "TestJudged",
    "Text",
    "Verdict",
    "Withholding",
]


class Capability(StrEnum):
    """The seven capabilities that a deed may be about."""

    SPYWARE = "spyware"
    HACK_FOR_HIRE = "hack-for-hire"
    EXPLOITS = "exploits"
    INTRUSION_AS_A_SERVICE = "intrusion-as-a-service"
    DDOS = "ddos"
    DISINFORMATION = "disinformation"
    SOCIAL_ENGINEERING = "social-engineering-intelligence"


class Agency(StrEnum):
    """Which agencies a government's deed reaches."""

    LAW_ENFORCEMENT = "law-enforcement"
    CIVIL_INTELLIGENCE = "civil-intelligence"
    DEFENCE = "defence"
    OTHER_CIVIL = "other-civil"


class Relation(Strict):
    """How a firm of the market stands to another, as a source says."""

    actor: ActorId
    relation: Literal["owned-by", "successor-of", "part-of", "founded-by-people-of"]
    since: DateText | None = None
    until: DateText | None = None


class Actor(Strict):
    """A government (ISO 3166-1 alpha-2, EU, XK), a company, a civil-society organisation, or a vendor.

    A vendor is a firm of the market itself: one entry a firm, whatever names it trades under.
    """

    kind: Literal["actor"]
    id: ActorId
    type: Literal["government", "company", "civil-society", "body", "vendor"]
    name: Line
    aliases: tuple[Line, ...] = Field(default=(), description="Other names of the same firm.")
    name_fr: Line | None = None
    iso3: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    region: Line | None = None
    status: Literal["member", "observer", "union", "other"] | None = None
    country: Id | None = Field(default=None, description="Seat, for an organisation.")
    capabilities: tuple[Capability, ...] = Field(default=(), description="What a vendor sells.")
    owners: tuple[Line, ...] = Field(default=(), description="Firms that owned a vendor, with their years.")
    related: tuple[Relation, ...] = ()
    note: Text | None = None
    sources: Sources

    @model_validator(mode="after")
    def _only_vendors_sell(self) -> Actor:
        if self.type != "vendor" and (self.capabilities or self.owners or self.related):
            raise ValueError("capabilities, owners and related are a vendor's")
        return self

    @model_validator(mode="after")
    def _governments_have_codes(self) -> Actor:
        if (self.type == "government") != (len(self.id) == 2 and self.id.isupper()):
            raise ValueError("a government's id is its two-letter code, and only a government's")
        if self.type == "government" and not (self.name_fr and self.region and self.status):
            raise ValueError("a government needs name_fr, region and status")
        return self


class Membership(Strict):
    """A government's membership of the EU, with its days."""

    kind: Literal["membership"]
    id: Id
    actor: ActorId
    group: Literal["EU"]
    since: DayText
    until: DayText | None = None
    sources: Sources


class Instrument(Strict):
    """A text that actors endorse."""

    kind: Literal["instrument"]
    id: Id
    title: Line
    date: DateText
    summary: Text
    recommendations: tuple[RecommendationId, ...] = ()
    sources: Sources


class Endorsement(Strict):
    """One actor's endorsement of one instrument."""

    kind: Literal["endorsement"]
    id: Id
    actor: ActorId
    instrument: Id
    date: DateText | None = Field(default=None, description="None: the source gives no day.")
    ended: DateText | None = None
    note: Text | None = None
    sources: Sources


class StageOfAction(Strict):
    """One step in the history of a deed."""

    stage: Literal["announced", "adopted", "in_force", "applied", "ended"]
    date: DateText
    note: Line | None = None


class Action(Strict):
    """An actor's own deed. Criticism by others is never the criticised actor's action."""

    kind: Literal["action"]
    id: Id
    actor: ActorId
    title: Line
    summary: Text
    type: Literal[
        "law",
        "regulation",
        "policy",
        "statement",
        "sanction",
        "judgment",
        "prosecution",
        "inquiry",
        "oversight",
        "licensing",
        "procurement",
        "diplomacy",
        "takedown",
        "lawsuit",
        "report",
        "programme",
        "principles",
    ]
    stages: Annotated[tuple[StageOfAction, ...], Field(min_length=1)]
    capabilities: tuple[Capability, ...] = ()
    reach: tuple[Agency, ...] = ()
    origin: Literal["national", "sub-national", "eu"] | None = None
    recommendations: Annotated[tuple[RecommendationId, ...], Field(min_length=1)]
    about: tuple[Id, ...] = Field(default=(), description="Other actors that the deed concerns.")
    vendors: tuple[Line, ...] = ()
    people: tuple[Id, ...] = ()
    note: Text | None = Field(default=None, description="What is not confirmed, or stands against it.")
    sources: Sources
    where: dict[Id, Line] = Field(
        default_factory=dict, description="Source id to the place in it: article, section, page."
    )


class Reply(Strict):
    """What a government or firm answered, and what we answered it."""

    kind: Literal["reply"]
    id: Id
    actor: ActorId
    about: Id
    received: DayText
    summary: Text
    state: Literal["pending", "answered"]
    answer: Text | None = None
    sources: Sources

    @model_validator(mode="after")
    def _answered_has_an_answer(self) -> Reply:
        if (self.state == "answered") != (self.answer is not None):
            raise ValueError("an answered reply has an answer, a pending one has none")
        return self


class Finding(Strict):
    """Contradicting practice, dated twice: when it was done, and when it was found.

    Without an established operator it is context, and stands apart.
    """

    kind: Literal["finding"]
    id: Id
    actor: ActorId
    title: Line
    summary: Text
    conduct: DateText | None = None
    found: DateText
    found_by: Line
    government_then: Line | None = None
    agency: Line | None = None
    operator: Line | None = None
    operator_established_by: Line | None = None
    series: Literal["N1", "N2", "N3"] | None = None
    state: Literal[
        "allegation",
        "charge",
        "finding",
        "conviction-not-final",
        "conviction-final",
        "acquittal",
        "remedied",
    ]
    reply: Text | None = Field(default=None, description="What the actor answered, as sourced.")
    capabilities: tuple[Capability, ...] = ()
    recommendations: Annotated[tuple[RecommendationId, ...], Field(min_length=1)]
    vendors: tuple[Line, ...] = ()
    people: tuple[Id, ...] = ()
    note: Text | None = None
    sources: Sources
    where: dict[Id, Line] = Field(
        default_factory=dict, description="Source id to the place in it: article, section, page."
    )

    @model_validator(mode="after")
    def _series_needs_an_operator(self) -> Finding:
        if (self.series is None) != (self.operator_established_by is None):
            raise ValueError(
                "a finding has a series (N1 to N3) exactly when operator_established_by says who "
                "established the operator; without one it is context and has no series"
            )
        return self


class Source(Strict):
    """A document, and how far it was read."""

    kind: Literal["source"]
    id: Id
    publisher: Line
    title: Line
    address: Address
    language: Language
    nature: Literal["primary", "official-summary", "secondary", "press"]
    read: Literal["full-text", "provision", "excerpt", "not-read"]
    read_on: DayText | None = None
    copy_read: Literal["live", "stored"] | None = None
    published: DateText | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _reading_has_a_day(self) -> Source:
        if (self.read == "not-read") == (self.read_on is not None):
            raise ValueError("a source that was read has read_on, one that was not has none")
        if (self.read_on is None) != (self.copy_read is None):
            raise ValueError("copy_read (live or stored) goes with read_on")
        return self


class Correction(Strict):
    """A public note that something published was wrong, and what was done."""

    kind: Literal["correction"]
    id: Id
    about: Id
    date: DayText
    was: Text
    now: Text
    reason: Text


class Person(Strict):
    """A personal name, kept apart and salted so that it can be withheld."""

    kind: Literal["person"]
    id: Id
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    name: Line
    role: Line
    basis: Literal["public-office", "sanctioned", "charged", "convicted-not-final", "convicted"]
    outcome: (
        Literal[
            "listed", "delisted", "pending", "acquitted", "discontinued", "conviction-not-final", "conviction"
        ]
        | None
    ) = Field(default=None, description="How the matter stands; those cleared are no longer named.")
    sources: Sources


class Withholding(Strict):
    """A notice that an entry's body is withheld: its hash, the day and the reason stay."""

    kind: Literal["withholding"]
    id: Id
    target: Name
    thing: Id
    date: DayText
    reason: Text
    superseded: tuple[Name, ...] = Field(
        default=(), description="What the target superseded, filled in: it stays superseded."
    )


Body = Annotated[
    Actor
    | Membership
    | Instrument
    | Endorsement
    | Action
    | Reply
    | Finding
    | Source
    | Capture
    | Passage
    | Coder
    | Coding
    | Context
    | SearchLog
    | Adjudication
    | Correction
    | Person
    | Withholding
    | Verdict
    | Recheck,
    Field(discriminator="kind"),
]
