"""The queue of candidates as one page for whoever judges: what was proposed, why, and the passage itself.

The page belongs to a person's desk and not to the site: it holds the law book's own words.
"""

from __future__ import annotations

import hashlib
import shlex
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from django.template import Context

from mercwatch.framework.load import load
from mercwatch.mining.candidates import Row
from mercwatch.publishing.plain import visible
from mercwatch.publishing.render import engine

Data = dict[str, Any]
MAX_TEXT = 6_000  # characters of a passage that are shown
MAX_PLACES = 20
MAX_REASONS = 20
CHANGED = "The file has changed since it was mined, so its words are not shown here."
_IN_FORCE = {True: "in force", False: "not in force", None: "not known whether it is in force"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1a2330; --soft: #4d5866; --paper: #fcfbf8; --line: #d9d6cd;
  --bar: #174a7a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e0; --soft: #aab3bf; --paper: #12171e; --line: #333d49; --bar: #b9dbf6; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
article { border: 1px solid var(--line); border-radius: 5px; padding: .6rem .8rem; margin: .8rem 0; }
h3 { margin: 0 0 .3rem; font-size: 1.05rem; }
p { margin: .3rem 0; }
.meta { color: var(--soft); font-size: .9rem; }
.bar { width: 6rem; height: .6rem; border: 1px solid var(--soft); }
.bar rect { fill: var(--bar); }
pre { white-space: pre-wrap; margin: .4rem 0; padding: .5rem; border: 1px solid var(--line);
  font-size: .86rem; }
summary { cursor: pointer; padding: .2rem 0; }
bdi, pre { unicode-bidi: isolate; }
""".strip()


def queue_page(
    rows: Sequence[Row], judged: Mapping[str, str], book: Path | None, file: str = "CANDIDATES"
) -> str:
    """One static page of candidates, each with the command that accepts or rejects it.

    judged: what the record says of a candidate, by its name; book: the law book's folder, whose passages are
    shown; file: the candidates' file, for the commands. What a file says is data: escaped, and never run.
    """
    titles = {recommendation.id: recommendation.title for recommendation in load().recommendations}
    data: Data = {
        "groups": [
            {
                "id": name,
                "title": titles[name],
                "candidates": [
                    _candidate(row, judged, book, file) for row in rows if row.recommendation == name
                ],
            }
            for name in titles
            if any(row.recommendation == name for row in rows)
        ],
        "count": len(rows),
        "judged": sum(row.name in judged for row in rows),
        "style": _STYLE,
        "style_hash": b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode(),
    }
    rendered: str = engine().get_template("queue.html").render(Context(data))
    return rendered


def inside(book: Path, file: str) -> Path | None:
    """Where a file of a law book lies; None for a name that leads out of the book's folder."""
    parts = PurePosixPath(file)
    if "\0" in file or "\\" in file or parts.is_absolute() or ".." in parts.parts:
        return None
    root = book.resolve()
    try:
        path = (root / file).resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        return None
    return path if path != root and path.is_relative_to(root) else None


def _candidate(row: Row, judged: Mapping[str, str], book: Path | None, file: str) -> Data:
    percent = round(100 * row.score)
    elsewhere = [place for place in row.places if (place.file, place.start) != (row.file, row.start)]
    text, problem = _passage(row, book) if book else ("", "")
    return {
        "name": row.name,
        "percent": percent,
        "state": visible(judged.get(row.name, "waits")),
        "law": visible(row.law),
        "title": visible(row.title),
        "article": visible(row.article),
        "in_force": _IN_FORCE[row.in_force],
        "in_force_reason": visible(row.in_force_reason),
        "language": visible(row.language),
        "reasons": [visible(reason) for reason in row.reasons[:MAX_REASONS]],
        "file": visible(row.file),
        "start": row.start,
        "end": row.end,
        "sha256": row.sha256,
        "places": [visible(f"{place.law or place.file} {place.article}") for place in elsewhere[:MAX_PLACES]],
        "more_places": max(0, len(elsewhere) - MAX_PLACES),
        "text": text,
        "problem": problem,
        "commands": list(_commands(row, book, file)),
    }


def _passage(row: Row, book: Path) -> tuple[str, str]:
    """The passage's words, or why they are not shown."""
    path = inside(book, row.file)
    if path is None:
        return "", "The file's name leads out of the law book's folder, so it was not opened."
    try:
        data = _span(path, row.start, row.end)
    except OSError as error:
        return "", f"The file cannot be read: {error.strerror}."
    if data is None or hashlib.sha256(data).hexdigest() != row.sha256:
        return "", CHANGED
    text = visible(data.decode("utf-8", "replace"))
    if len(text) <= MAX_TEXT:
        return text, ""
    return text[:MAX_TEXT], f"The first {MAX_TEXT:,} of {len(text):,} characters."


def _span(path: Path, start: int, end: int) -> bytes | None:
    """These bytes of a file; None where it is too short, or no file any more."""
    if path.exists() and not path.is_file():
        return None
    with path.open("rb") as stream:
        if not start < end <= path.stat().st_size:
            return None
        stream.seek(start)
        return stream.read(end - start)


def _commands(row: Row, book: Path | None, file: str) -> Iterator[str]:
    shared = f"--actor ACTOR --by CODER --why {shlex.quote('…')}"
    folder = shlex.quote(str(book)) if book else "FOLDER"
    of = f"mercwatch judge {shlex.quote(file)}"
    yield visible(f"{of} --accept {row.name} --book {folder} --source SOURCE {shared}")
    yield visible(f"{of} --reject {row.name} {shared}")
