"""A ledger made in a few words, for statements about how decisions add up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from mercwatch.framework.codebook import Codebook
from mercwatch.framework.load import digest, load
from mercwatch.record.adding import Recorder, new_entries
from mercwatch.record.entries import parse_body
from mercwatch.record.ledger import Ledger
from mercwatch.record.releasing import next_release
from mercwatch.record.sheets import Row

Thing = dict[str, Any]


class Record:
    """A ledger that grows by releases of plain rows."""

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self.ledger = Ledger()

    def release(self, day: str, *things: Thing, by: str = "machine-1") -> Record:
        """Add rows, recorded by a coder, and release them on a day."""
        rows = [_row(number, thing) for number, thing in enumerate(things, start=1)]
        entries = new_entries(rows, self.ledger, self.codebook, Recorder(by, day))
        grown = Ledger({**self.ledger.entries, **{e.name: e for e in entries}}, self.ledger.releases)
        made = next_release(grown, self.codebook, digest(self.codebook.version), day)
        self.ledger = Ledger(grown.entries, (*grown.releases, made))
        return self


def _row(number: int, thing: Thing) -> Row:
    fields = {key: value for key, value in thing.items() if key != "because"}
    return Row("sheet", number, parse_body(fields), thing.get("because"))


def source(thing: str = "src-law", nature: str = "primary", read: str = "provision") -> Thing:
    """A source of the given nature, read so far."""
    reading = {} if read == "not-read" else {"read_on": "2026-01-01", "copy_read": "stored"}
    return {
        "kind": "source",
        "id": thing,
        "publisher": "Gazette",
        "title": "A law",
        "address": f"https://gazette.example/{thing}",
        "language": "en",
        "nature": nature,
        "read": read,
        **reading,
    }


MACHINE: Thing = {
    "kind": "coder",
    "id": "machine-1",
    "type": "machine",
    "name": "Machine coder 1",
    "model": "a model",
    "instructions": "Code once.",
}
PERSON: Thing = {"kind": "coder", "id": "person-1", "type": "person", "name": "Coder 1"}


def government(code: str = "FR") -> Thing:
    """A government."""
    return {
        "kind": "actor",
        "id": code,
        "type": "government",
        "name": code,
        "name_fr": code,
        "region": "Europe",
        "status": "union" if code == "EU" else "member",
        "sources": ["src-law"],
    }


def action(
    thing: str, *stages: tuple[str, str], actor: str = "FR", of: str = "src-law", **more: Any
) -> Thing:
    """A deed with its stages as (stage, date)."""
    return {
        "kind": "action",
        "id": thing,
        "actor": actor,
        "title": thing,
        "summary": "It was done.",
        "type": "law",
        "stages": [{"stage": stage, "date": date} for stage, date in stages],
        "recommendations": ["R1"],
        "sources": [of],
        **more,
    }


def coding(
    indicator: str,
    *tests: tuple[int, Sequence[str], str],
    actor: str = "FR",
    coder: str = "machine-1",
    **more: Any,
) -> Thing:
    """A coding whose tests are met, each as (level, evidence, since)."""
    met = [{"level": level, "met": True, "by": list(by), "since": since} for level, by, since in tests]
    judged = {"tests": met} if met else {}
    return {
        "kind": "coding",
        "id": f"{actor.lower()}-{indicator.lower().replace('.', '-')}-{coder}",
        "actor": actor,
        "indicator": indicator,
        "meaning": load().by_id[indicator].meaning,
        "coder": coder,
        "rationale": "As the law says.",
        **judged,
        **more,
    }


def capture(thing: str = "cap-law", of: str = "src-law", body: bytes = b"A law.", **more: Any) -> Thing:
    """A capture of a page, fetched on 2026-01-02 and read."""
    return {
        "kind": "capture",
        "id": thing,
        "source": of,
        "sha256": _sha256(body),
        "bytes": len(body),
        "media_type": "text/html",
        "fetched": "2026-01-02T03:04:05Z",
        "read": {"reader": "html 1", "text_sha256": _sha256(b"text of " + body)},
        **more,
    }


def passage(thing: str, of: str = "cap-law", quote: str | None = None, **more: Any) -> Thing:
    """A passage of a capture; with its words where they are given."""
    return {
        "kind": "passage",
        "id": thing,
        "capture": of,
        "reader": "html 1",
        "start": 100,
        "end": 250,
        "quote_sha256": _sha256((quote or thing).encode()),
        **({"quote": quote} if quote else {}),
        **more,
    }


def recheck(outcome: str = "unchanged", of: str = "cap-law", **more: Any) -> Thing:
    """What a capture's address gave on 2026-02-03; fates: what became of each passage, by its id."""
    fates = more.pop("fates", {})
    seen = {"reason": "HTTP 404"} if outcome == "unreachable" else {"sha256": _sha256(b"now")}
    return {
        "kind": "recheck",
        "id": f"re-{of}",
        "capture": of,
        "checked": "2026-02-03T04:05:06Z",
        "outcome": outcome,
        "passages": [{"passage": thing, "fate": fate} for thing, fate in fates.items()],
        **seen,
        **more,
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


BASE = (MACHINE, PERSON, source(), government())


def finding(**more: Any) -> Thing:
    """A finding of series N2."""
    return {
        "kind": "finding",
        "id": "fr-case",
        "actor": "FR",
        "title": "A case",
        "summary": "It was found.",
        "found": "2025-03",
        "found_by": "A court",
        "operator_established_by": "A court",
        "series": "N2",
        "state": "finding",
        "recommendations": ["R1"],
        "sources": ["src-law"],
        **more,
    }
