"""Readers: bytes of many kinds into text and pieces. They run behind the walls of `capture.sandbox` only."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from mercwatch.capture.reading import Reading

# The first number is ours: it rises when the same bytes would give another text.
_READERS = {
    "html": ("html 1", "trafilatura"),
    "pdf": ("pdf 1", "pypdfium2"),
    "docx": ("docx 1", "python-docx"),
    "plain": ("plain 1", ""),
    "lawbook": ("lawbook 1", ""),
}

LOGIN = "login:"
"""How the note begins that says that a page asks to log in instead of showing the document."""
MISSING = "missing:"
"""How the note begins that says that a page, though served, tells that the document is not there."""


def versions() -> dict[str, str]:
    """How each reader names itself, without loading its library: `html 1 (trafilatura 2.3.1)`."""
    return {kind: named(kind) for kind in _READERS}


@cache
def named(kind: str) -> str:
    """One reader's name with the versions that its text depends on."""
    name, library = _READERS[kind]
    if not library:
        return name
    try:
        return f"{name} ({library} {version(library)})"
    except PackageNotFoundError:
        return f"{name} ({library} is not installed)"


def instead_of_document(reading: Reading) -> Literal["login", "not-found"] | None:
    """What a page is that was served in the document's place: a login page, a page saying that it is gone."""
    if any(note.startswith(LOGIN) for note in reading.notes):
        return "login"
    return "not-found" if any(note.startswith(MISSING) for note in reading.notes) else None
