"""Bytes into letters: a lie about the character set costs letters, never the document."""

from __future__ import annotations

import codecs
import contextlib
import encodings
import pkgutil
import re
from functools import cache
from pathlib import Path

from mercwatch.framework.yaml12 import shipped

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_IN_TYPE = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.I)
_IN_PAGE = re.compile(rb"(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})", re.I)
# A pattern, not a table for str.translate: twenty times faster on text that is not all ASCII.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")


@cache
def _codecs() -> dict[str, str]:
    listed = shipped(Path(__file__).parent / "charsets.yaml")
    return {label: codec for codec, labels in listed.items() for label in labels}


def warm() -> None:
    """Load every character set, those that libraries use too: behind the walls no file can be opened."""
    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(LookupError, ImportError):  # those of other systems
            codecs.lookup(module.name)
    _codecs()


def decoded(body: bytes, media_type: str, in_page: bool) -> tuple[str, tuple[str, ...]]:
    """The text without signs that are no text, and notes. in_page: the page may name its character set.

    A byte order mark wins, then bytes that are UTF-8 whatever the label says, then the label of the server,
    then the page's own, then windows-1252.
    """
    for mark, marked in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], marked, ())
    labels = [match.group(1) for match in [_IN_TYPE.search(media_type[:1_000])] if match]
    if in_page:
        labels += [match.group(1).decode("ascii", "replace") for match in _IN_PAGE.finditer(body[:4_096])]
    named = [codec for label in labels if (codec := _codecs().get(label.lower()))]
    if "iso2022-jp" in named and b"\x1b$" in body:
        return _read(body, "iso2022-jp", ())  # seven bits: it would pass as UTF-8
    try:
        return _UNSEEN.sub("", body.decode("utf-8")), ()
    except UnicodeDecodeError as error:
        if named[:1] in ([], ["utf-8"]) and _cut_short(body, error):
            return _read(body, "utf-8", ())
    return _guessed(body, named)


def _cut_short(body: bytes, error: UnicodeDecodeError) -> bool:
    """Is it UTF-8 but for its last letter?"""
    return error.start >= len(body) - 3 and error.reason == "unexpected end of data"


def _guessed(body: bytes, named: list[str]) -> tuple[str, tuple[str, ...]]:
    others = [codec for codec in named if codec != "utf-8"]
    if others:
        return _read(body, others[0], ())
    broken = body.decode("utf-8", "replace")
    good = sum(1 for byte in body if byte >= 0xC2) if len(body) < 1 << 20 else len(body) // 50
    if named and broken.count("�") * 4 < good:
        return _read(body, "utf-8", ())
    return _read(body, "cp1252", ("its character set is not said and not UTF-8: read as windows-1252",))


def _read(body: bytes, codec: str, notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    text = body.decode(codec, "replace")
    bad = text.count("�")
    if bad and not notes:
        notes = (f"{bad:,} signs are none of its character set ({codec}) and stand as �",)
    return _UNSEEN.sub("", text), notes
