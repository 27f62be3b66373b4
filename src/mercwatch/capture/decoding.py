"""Encodings undone within a bound: a small body that unpacks to a huge one is refused."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from io import BytesIO

import brotli
from warcio.bufferedreaders import ChunkedDataReader

BLANK = re.compile(rb"\n\r?\n")
"""What ends the head of a message or a record."""
_STEP = 1 << 20
_INPUT = 1 << 16
_MEMBERS = 1_000
"""Packed pieces one after another in one body: empty ones cost time and yield nothing."""
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate", "br"})


class DecodingError(ValueError):
    """A body that cannot be unpacked, or not within the bound; says why."""


def decoded(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its content encodings, at most `most` bytes; raises DecodingError."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    names = [name for name in names if name != "identity"] if body else []
    if len(names) > 2:
        raise DecodingError("the answer is packed more than twice")
    for name in reversed(names):
        if name not in _ENCODINGS:
            raise DecodingError(f"the answer is packed in a way that we do not read: {name[:40]!r}")
        body = _within(_unbrotli(body) if name == "br" else _inflated(body, name), most)
    if len(body) > most:
        raise DecodingError(f"the answer is larger than {most:,} bytes")
    return body


def dechunked(body: bytes) -> bytes:
    """A body without its chunks (RFC 9112), as tools for archives read it; one without chunks stays."""
    reader = ChunkedDataReader(BytesIO(body))
    return b"".join(iter(lambda: reader.read(_STEP), b""))


def _within(steps: Iterator[bytes], most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        for part in steps:
            size += len(part)
            if size > most:
                raise DecodingError(f"the answer unpacks to more than {most:,} bytes")
            parts.append(part)
    except (zlib.error, brotli.error) as error:
        raise DecodingError(f"the answer cannot be unpacked: {error}") from None
    return b"".join(parts)


def _inflated(body: bytes, name: str) -> Iterator[bytes]:
    """gzip with all its members, or deflate with or without its zlib header."""
    raw = name == "deflate" and not (
        len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    )
    bits = -zlib.MAX_WBITS if raw else zlib.MAX_WBITS | (16 if name != "deflate" else 0)
    at = 0
    for _ in range(_MEMBERS):
        engine = zlib.decompressobj(bits)
        rest = b""
        while not engine.eof:
            if not rest:
                rest = body[at : at + _INPUT]
                at += len(rest)
            part = engine.decompress(rest, _STEP)
            if not part and not rest and not engine.eof:
                raise DecodingError("the packed answer ends too early")
            rest = engine.unconsumed_tail
            yield part
        at -= len(engine.unused_data)
        if name == "deflate" or not body.startswith(b"\x1f\x8b", at):
            return  # whatever stands after the last member is no part of the body
    raise DecodingError(f"the answer is packed in more than {_MEMBERS:,} pieces")


def _unbrotli(body: bytes) -> Iterator[bytes]:
    engine = brotli.Decompressor()
    part = engine.process(body, output_buffer_limit=_STEP)
    yield part
    while not engine.is_finished():
        part = engine.process(b"", output_buffer_limit=_STEP)
        if not part and engine.can_accept_more_data():
            raise DecodingError("the packed answer ends too early")
        yield part
