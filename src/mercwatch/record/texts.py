"""The nouns of texts: a source's bytes, a span in them, what became of it, and the verdict on a candidate."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mercwatch.framework.codebook import RecommendationId, Strict
from mercwatch.record.dates import DayText
from mercwatch.record.types import ActorId, Address, Id, Language, Line, Name, Text


def _inside(file: str) -> str:
    """A file of a law book is named from the book's folder, and lies in it."""
    if file.startswith("/") or "\\" in file or "\0" in file or ".." in file.split("/"):
        raise ValueError("a file is named from the law book's folder, with / and without ..")
    return file


FileName = Annotated[Line, AfterValidator(_inside)]


Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class HowRead(Strict):
    """How a capture's bytes became text: by which reader, and the hash of that text (UTF-8)."""

    reader: Line
    text_sha256: Name
    language: Language | None = None
    published: DayText | None = Field(default=None, description="As the document itself says.")
    pages: int | None = Field(default=None, ge=0)
    scanned: tuple[int, ...] = Field(default=(), description="Pages that are pictures without text.")


class Stamp(Strict):
    """An RFC 3161 time stamp on a capture's hash: by whom, when, and the hash of the token we keep."""

    authority: Address
    time: Moment
    token_sha256: Name


class Capture(Strict):
    """The bytes of a source as they were served or handed in; private, their hash public."""

    kind: Literal["capture"]
    id: Id
    source: Id
    sha256: Name
    bytes: int = Field(ge=0)
    media_type: Line
    fetched: Moment
    address: Address | None = Field(default=None, description="The last one, after redirects.")
    how: Literal["fetched", "imported"] = "fetched"
    read: HowRead | None = Field(default=None, description="None: nobody could read it as text.")
    second_address: Address | None = Field(default=None, description="In an archive that is not ours.")
    stamp: Stamp | None = None


class PassageNow(Strict):
    """What became of a passage of a capture; start: where it begins now, in bytes of the text read now."""

    passage: Id
    fate: Literal["unchanged", "moved", "altered", "gone"]
    start: int | None = Field(default=None, ge=0)


class Recheck(Strict):
    """What a capture's address gave when it was asked again. One thing a capture: a new outcome supersedes.

    unchanged: the same text; changed: another one, `passages` say what it means for what we cite.
    """

    kind: Literal["recheck"]
    id: Id
    capture: Id
    checked: Moment
    outcome: Literal["unchanged", "changed", "unreachable"]
    sha256: Name | None = Field(default=None, description="Of the bytes served now.")
    reason: Line | None = Field(default=None, description="Why it could not be reached or read.")
    passages: tuple[PassageNow, ...] = ()

    @property
    def lost(self) -> tuple[str, ...]:
        """Passages that do not stand there any more as we cite them: altered or gone."""
        return tuple(now.passage for now in self.passages if now.fate in ("altered", "gone"))

    @model_validator(mode="after")
    def _says_what_it_saw(self) -> Recheck:
        if (self.outcome == "unreachable") != (self.sha256 is None):
            raise ValueError("a recheck has the sha256 of what it was served, unless it was unreachable")
        if self.outcome == "unreachable" and (self.reason is None or self.passages):
            raise ValueError("an unreachable address has a reason, and says nothing of passages")
        if self.outcome == "unchanged" and self.lost:
            raise ValueError("where a passage is altered or gone the source has changed")
        return self


class Passage(Strict):
    """A span of a capture's text, or of a file of a source's law book: by position and by its bytes' hash.

    `start` and `end` count bytes: of the UTF-8 text that `reader` made of the capture, or of the file.
    `before_sha256` and `after_sha256` are of the 64 bytes beside it, so that
    it is found again when the text around it changes.
    """

    kind: Literal["passage"]
    id: Id
    capture: Id | None = None
    source: Id | None = None
    file: FileName | None = Field(default=None, description="Of the law book, named from its folder.")
    reader: Line | None = Field(default=None, description="Which reader made the capture's text.")
    page: int | None = Field(default=None, ge=1)
    article: Line | None = None
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    quote_sha256: Name
    before_sha256: Name | None = None
    after_sha256: Name | None = None
    quote: Annotated[str, Field(max_length=400)] | None = None

    @model_validator(mode="after")
    def _of_one_text(self) -> Passage:
        if (self.capture is None) == (self.source is None):
            raise ValueError("a passage is of a capture or of a source: exactly one of them")
        if (self.source is None) != (self.file is None):
            raise ValueError("a passage of a source, and only that, names its file")
        if self.quote is not None and hashlib.sha256(self.quote.encode()).hexdigest() != self.quote_sha256:
            raise ValueError("quote_sha256 is not the hash of the quote")
        if self.capture is None and (self.reader or self.page):
            raise ValueError("reader and page are of a capture's passage")
        if self.source is not None and self.end <= self.start:
            raise ValueError("a passage ends after it starts")
        return self


class Verdict(Strict):
    """What a person or a machine said of a candidate that the miner proposed: accepted, or rejected.

    The entry says who it was (`recorded_by`): a machine's is a draft. It raises no level by itself.
    """

    kind: Literal["verdict"]
    id: Id
    candidate: Annotated[str, Field(pattern=r"^r[1-7]-[0-9a-f]{12}$")]
    actor: ActorId
    recommendation: RecommendationId
    decision: Literal["accepted", "rejected"]
    law: Line
    article: Line | None = None
    sha256: Name = Field(description="Of the bytes that were proposed.")
    passage: Id | None = None
    bears_on: tuple[Id, ...] = Field(
        default=(),
        description="Actions of the record that the passage speaks of, recorded from it or before.",
    )
    why: Text

    @model_validator(mode="after")
    def _named_by_its_bytes(self) -> Verdict:
        if self.candidate != f"{self.recommendation.lower()}-{self.sha256[:12]}":
            raise ValueError("a candidate is named by its recommendation and the beginning of its sha256")
        return self

    @model_validator(mode="after")
    def _accepted_has_a_passage(self) -> Verdict:
        if (self.decision == "accepted") != (self.passage is not None):
            raise ValueError("an accepted candidate has a passage, a rejected one has none")
        if self.decision == "rejected" and self.bears_on:
            raise ValueError("only an accepted candidate bears on actions")
        return self
