"""The nouns of texts: a source's bytes, a span in them, and the verdict on a span that the miner proposed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mercwatch.framework.codebook import RecommendationId, Strict
from mercwatch.record.types import ActorId, Id, Line, Name, Text


def _inside(file: str) -> str:
    """A file of a law book is named from the book's folder, and lies in it."""
    if file.startswith("/") or "\\" in file or "\0" in file or ".." in file.split("/"):
        raise ValueError("a file is named from the law book's folder, with / and without ..")
    return file


FileName = Annotated[Line, AfterValidator(_inside)]


class Capture(Strict):
    """The bytes of a source as fetched; private, its hash public."""

    kind: Literal["capture"]
    id: Id
    source: Id
    sha256: Name
    bytes: int = Field(ge=0)
    media_type: Line
    fetched: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class Passage(Strict):
    """A span of a capture, or of a file of a source's law book: by position and by the hash of its bytes.

    `start` and `end` count bytes. `before_sha256` and `after_sha256` are of the 64 bytes beside it, so that
    it is found again when the text around it changes.
    """

    kind: Literal["passage"]
    id: Id
    capture: Id | None = None
    source: Id | None = None
    file: FileName | None = Field(default=None, description="Of the law book, named from its folder.")
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
