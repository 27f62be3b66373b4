"""Words that others wrote, made harmless to the eye: nothing in them hides or steers how they are shown."""

from __future__ import annotations

from urllib.parse import quote


def visible(text: str) -> str:
    """The text with a mark for each character that HTML forbids or that would steer how it is shown."""
    return "".join(char if _plain(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def shown_address(address: str) -> str:
    """The address with such characters in percent code: the same address, which nothing steers."""
    return "".join(char if _plain(char) else quote(char, errors="replace") for char in address)


def _plain(char: str) -> bool:
    code = ord(char)
    steering = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    control = (code < 0x20 and char not in "\t\n\r") or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000
    return not (steering or control or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF)
