"""Links as documents give them, made absolute."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin

from mercwatch.capture.readers.wire import MAX_ADDRESS

_WEB = re.compile(r"https?://[^/?#\\]")


def web_address(base: str, link: str) -> str:
    """The absolute address that a link leads to, without its fragment; empty where it is none of the web."""
    try:
        found = link.strip()
        if "#" in found or not found.startswith(("http://", "https://")):
            found = urldefrag(urljoin(base, found)).url if found else ""
    except ValueError:
        return ""
    web = _WEB.match(found) and len(found) <= MAX_ADDRESS
    return found if web and found.isprintable() and " " not in found else ""
