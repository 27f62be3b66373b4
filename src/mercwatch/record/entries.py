"""Entries: written once, named by the SHA-256 of their canonical JSON (RFC 8785)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import rfc8785
from pydantic import TypeAdapter

from mercwatch.framework.codebook import Strict
from mercwatch.record.dates import DayText
from mercwatch.record.kinds import Body, Id, Line, Name

Json = dict[str, Any]


class Envelope(Strict):
    """What is hashed: the body, who recorded it and when, and which entries it supersedes."""

    body: Body
    recorded_by: Id
    recorded_on: DayText
    supersedes: tuple[Name, ...] = ()
    reason: Line | None = None


class ReleaseBody(Strict):
    """What a release's head is the hash of. `entries` are those that it adds, sorted."""

    number: int
    date: DayText
    codebook: str
    codebook_sha256: Name
    previous: Name | None
    entries: tuple[Name, ...]
    note: Line | None = None


_ENVELOPE = TypeAdapter(Envelope)
_BODY: TypeAdapter[Body] = TypeAdapter(Body)
_RELEASE = TypeAdapter(ReleaseBody)


def canonical(value: Any) -> bytes:
    """The one way to write a value down (RFC 8785)."""
    return rfc8785.dumps(value)


def sha256(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def plain(model: Strict) -> Json:
    """The model as JSON values, without fields left at their defaults, so that new fields rename nothing."""
    dumped: Json = model.model_dump(mode="json", exclude_defaults=True)
    return dumped


@dataclass(frozen=True)
class Entry:
    """One version of a thing."""

    name: str
    envelope: Envelope
    text: str

    @classmethod
    def of(cls, envelope: Envelope) -> Entry:
        """Name an envelope."""
        data = canonical(plain(envelope))
        return cls(sha256(data), envelope, data.decode())

    @classmethod
    def read(cls, text: str) -> Entry:
        """Read an envelope's canonical JSON back; ValidationError where it breaks a rule of its kind."""
        return cls(sha256(text.encode()), _ENVELOPE.validate_json(text), text)

    @property
    def body(self) -> Body:
        """What it says."""
        return self.envelope.body

    @property
    def id(self) -> str:
        """The thing it is a version of."""
        return self.envelope.body.id

    @property
    def kind(self) -> str:
        """The thing's kind."""
        return self.envelope.body.kind


@dataclass(frozen=True)
class Release:
    """A published set of entries; its head is the hash of its manifest."""

    head: str
    body: ReleaseBody
    text: str

    @classmethod
    def of(cls, body: ReleaseBody) -> Release:
        """Name a manifest."""
        data = canonical(body.model_dump(mode="json"))
        return cls(sha256(data), body, data.decode())

    @classmethod
    def read(cls, text: str) -> Release:
        """Read a manifest's canonical JSON back."""
        return cls(sha256(text.encode()), _RELEASE.validate_json(text), text)


@dataclass(frozen=True)
class Withheld:
    """An entry whose body is not published: its name, the day and the reason stay."""

    name: str
    date: str
    reason: str


def parse_body(row: Json) -> Body:
    """A sheet's row as a typed body; ValidationError where it breaks a rule of its kind."""
    return _BODY.validate_json(json.dumps(row))
