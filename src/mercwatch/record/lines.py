"""Reading hostile text files: bounded in size, line by line, strict about bytes and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_LINE = 1_000_000  # bytes; a release's manifest of 10,000 entries fits
MAX_LINES = 2_000_000
MAX_MANIFEST_LINE = 64_000_000
MAX_DEPTH = 20
MAX_INTEGER = 2**53 - 1  # RFC 8785 knows no larger one


class LineError(ValueError):
    """A line that cannot be read; `line` counts from 1."""

    def __init__(self, line: int, rule: str) -> None:
        self.line = line
        self.rule = rule
        super().__init__(f"{line}: {rule}")


def read_lines(path: Path, max_line: int = MAX_LINE) -> Iterator[tuple[int, str]]:
    """Yield (line number, text without its end); LineError where a bound or UTF-8 is broken."""
    if not path.is_file():
        raise LineError(1, "this is not a regular file")
    with path.open("rb") as stream:
        for number in range(1, MAX_LINES + 1):
            data = stream.readline(max_line + 1)
            if not data:
                return
            if len(data) > max_line:
                raise LineError(number, f"the line is longer than {max_line:,} bytes")
            yield number, decode(data, number).removesuffix("\n")
    raise LineError(MAX_LINES, f"the file has more than {MAX_LINES:,} lines")


def decode(data: bytes, line: int) -> str:
    """Strict UTF-8; LineError names the line on which the bad byte stands."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = line + data.count(b"\n", 0, error.start)
        raise LineError(bad, f"this is not UTF-8 (byte 0x{data[error.start]:02x})") from error


def read_whole(path: Path, most: int) -> str:
    """A whole file of at most that many bytes, as strict UTF-8."""
    if not path.is_file():
        raise LineError(1, "this is not a regular file")
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise LineError(1, f"the file is larger than {most:,} bytes")
    return decode(data, 1)


def strict_json(text: str, line: int) -> Any:
    """JSON without duplicate keys, fractions, huge numbers or deep nesting; LineError otherwise."""
    try:
        value = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_float=_no_float, parse_constant=_no_float
        )
    except RecursionError as error:
        raise LineError(line, f"the JSON is nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise LineError(line, f"this is not the JSON that a record uses: {error}") from error
    _bounded(value, line, MAX_DEPTH)
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands twice")
    return found


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not a whole number")


def _bounded(value: Any, line: int, depth: int) -> None:
    if depth == 0:
        raise LineError(line, f"the JSON is nested deeper than {MAX_DEPTH}")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise LineError(line, "a whole number is too large")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _bounded(item, line, depth - 1)
