"""What the whole room uses: a stranger's words on one line, and a moment."""

from __future__ import annotations

from datetime import UTC, datetime


def one_line(text: object, most: int = 300) -> str:
    """A stranger's words on one line, bounded, without characters that steer a terminal."""
    words = str(text)[: 4 * most]
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:most]


def moment(at: datetime | None = None) -> str:
    """A moment (UTC, default now) as records write it: `2026-01-02T03:04:05Z`."""
    return (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
