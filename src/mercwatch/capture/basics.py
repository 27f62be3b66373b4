"""What the whole room uses: a stranger's words on one line, a moment, a file written whole."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path


def one_line(text: object, most: int = 300) -> str:
    """A stranger's words on one line, bounded, without characters that steer a terminal."""
    words = str(text)[: 4 * most]
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:most]


def moment(at: datetime | None = None) -> str:
    """A moment (UTC, default now) as records write it: `2026-01-02T03:04:05Z`."""
    return (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: aside, flushed, renamed."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with aside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
