"""Law-book Markdown: its provisions are the pieces, named as printed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercwatch.capture.law import Law, LawError, law_of
from mercwatch.capture.readers import named
from mercwatch.capture.readers.charsets import decoded
from mercwatch.capture.readers.plain import TOO_MANY, bounded, one_kind_of_line_end, one_line, paragraphs
from mercwatch.capture.readers.wire import MAX_LABEL, MAX_PIECES
from mercwatch.capture.reading import Piece, Reading

_ENOUGH = 5
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAYS = ("published", "publication_date", "date_published", "date")


def read(body: bytes, media_type: str, address: str) -> Reading | None:
    """A text as a law book's, or None where it is none: it has front matter, or many marks of articles."""
    text, notes = decoded(body, media_type, in_page=False)
    text = one_kind_of_line_end(text)
    data = text.encode()
    try:
        law = law_of(data, address)
    except LawError:
        return None
    if not law.meta and len(law.provisions) < _ENOUGH:
        return None
    pieces = bounded(_pieces(law, data))
    said = (law.meta.get("language") or law.meta.get("lang") or "").strip().lower()
    days = [law.meta[key].strip() for key in _DAYS if key in law.meta]
    return Reading(
        reader=named("lawbook"),
        text=text,
        title=one_line(law.title),
        published=days[0] if days and _DAY.fullmatch(days[0]) else "",
        language=said[:2] if re.fullmatch(r"[a-z]{2}(-[a-z]{2})?", said) else "",
        pieces=pieces,
        notes=(*notes, *([TOO_MANY] if len(pieces) == MAX_PIECES else [])),
    )


def warm() -> None:
    """Build what the law reader builds once."""
    read(b"---\ntitle: A\n---\nArt. 1\nOne.\n", "text/markdown", "https://gazette.example/1.md")


def _pieces(law: Law, data: bytes) -> Iterator[Piece]:
    """The provisions, and between them the paragraphs that belong to none."""
    at = 0
    for provision in law.provisions:
        start = max(at, provision.start)
        yield from paragraphs(data[at:start].decode(), at)
        kept = data[start : provision.end].decode("utf-8", "ignore")
        shown = kept.strip()
        if shown:
            start += len(kept[: len(kept) - len(kept.lstrip())].encode())
            at = start + len(shown.encode())
            yield Piece(start=start, end=at, label=one_line(provision.label, MAX_LABEL))
    yield from paragraphs(data[at:].decode("utf-8", "ignore"), at)
