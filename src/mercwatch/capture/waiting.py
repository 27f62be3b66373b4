"""The review queue: what waits for a person. Candidates lie in files; what points to them is here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from mercwatch.capture.basics import one_line

Kind = Literal["change", "drift", "new-document", "candidates"]
KINDS: tuple[Kind, ...] = ("change", "drift", "new-document", "candidates")
FILE = "queue.sqlite3"
_MAX_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits, or waited.

    about: the id of a place or a source; what: one line; sha256: of the capture that shows it, or empty;
    file: where its candidates are, from the archive's folder, or empty; made: `2026-01-02T03:04:05Z`.
    """

    id: str
    kind: Kind
    made: str
    about: str
    address: str
    what: str
    sha256: str = ""
    file: str = ""
    state: Literal["open", "settled"] = "open"
    settled_by: str = ""
    settled_why: str = ""


class WaitingError(Exception):
    """The queue cannot do that; says why."""


_COLUMNS = ", ".join(field.name for field in fields(Item))
_MARKS = ", ".join("?" for _ in fields(Item))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, made TEXT NOT NULL, about TEXT NOT NULL, address TEXT NOT NULL,
  what TEXT NOT NULL, sha256 TEXT NOT NULL, file TEXT NOT NULL, state TEXT NOT NULL, settled_by TEXT NOT NULL,
  settled_why TEXT NOT NULL
) STRICT
"""


class Waiting:
    """The review queue of an archive's folder; several programs may use it at once."""

    def __init__(self, archive: Path) -> None:
        self.path = archive / FILE

    def add(self, item: Item) -> bool:
        """Put an item into the queue; False, and nothing changes, where its id is there, settled or not."""
        if item.kind not in KINDS:
            raise WaitingError(f"{item.kind!r} is no kind of item; there are {', '.join(KINDS)}")
        values = [one_line(value, _MAX_LINE) for value in astuple(item)]
        with self._open() as base:
            done = base.execute(f"INSERT OR IGNORE INTO items ({_COLUMNS}) VALUES ({_MARKS})", values)  # noqa: S608
        return done.rowcount == 1

    def items(self, state: Literal["open", "settled"] | None = None) -> list[Item]:
        """All items, or those in one state, oldest first."""
        if not self.path.is_file():
            return []
        asked = f"SELECT {_COLUMNS} FROM items WHERE ?1 IS NULL OR state = ?1 ORDER BY made, id"  # noqa: S608
        with self._open() as base:
            return [Item(*row) for row in base.execute(asked, (state,))]

    def open_items(self) -> list[Item]:
        """What waits for a person, oldest first."""
        return self.items("open")

    def settle(self, item: str, by: str, why: str) -> None:
        """Close an item: who did it, and why. WaitingError where there is none such, or it is closed."""
        if not self.path.is_file():
            raise WaitingError(f"{self.path.parent}: there is no review queue here; see --archive")
        if not by.strip() or not why.strip():
            raise WaitingError("who settles an item says who they are, and why")
        settled = "UPDATE items SET state = 'settled', settled_by = ?, settled_why = ?"
        with self._open() as base:
            said = (one_line(by, _MAX_LINE), one_line(why, _MAX_LINE), item)
            change = base.execute(f"{settled} WHERE id = ? AND state = 'open'", said)
            if change.rowcount:
                return
            known = base.execute("SELECT settled_by, settled_why FROM items WHERE id = ?", (item,)).fetchone()
        if known is None:
            raise WaitingError(f"nothing in the review queue is named {item}")
        raise WaitingError(f"{item} was settled by {known[0]}: {known[1]}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as base, base:
                base.execute(_SCHEMA)
                yield base
        except sqlite3.Error as error:
            raise WaitingError(f"{self.path}: the review queue cannot be used: {error}") from None
