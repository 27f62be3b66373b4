"""Addresses: which may be asked at all, and to which machines a connection may go."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

MAX_ADDRESS = 2_000
PORTS = frozenset({80, 443, 8080, 8443})
_DEFAULT = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\<>\"^`{|}]")
_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*"
)
_BRACKETS = re.compile(r"[^\[\]]*|\[[\w:.%-]*:[\w:.%-]*\](:\d*)?", re.A)
_KEPT = "/:?#[]@!$&'()*+,;=%~-._"

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED = tuple(
    ipaddress.ip_network(line.split("#", 1)[0].strip())
    for line in (Path(__file__).parent / "refused_networks.txt").read_text(encoding="utf-8").splitlines()
    if line.split("#", 1)[0].strip()
)
# IPv6 networks that carry an IPv4 address in them, and how many bits stand after it.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)


class AddressError(ValueError):
    """An address that is not asked; says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart. text: normalised, without fragment; path: with its query."""

    text: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as `https://gazette.example:443`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def target(address: str, ports: frozenset[int] | None = PORTS) -> Target:
    """An address that may be asked; ports None allows every port from 1024, too. Raises AddressError."""
    text = address.strip()
    if len(text) > MAX_ADDRESS:
        raise AddressError(f"the address is longer than {MAX_ADDRESS:,} characters")
    if _UNSAFE.search(text):
        raise AddressError(
            "the address holds a space, a control character or a sign that addresses do not have"
        )
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = _host(parts.hostname or "")
        path, query = quote(parts.path or "/", safe=_KEPT), quote(parts.query, safe=_KEPT)
    except (ValueError, UnicodeError) as error:
        raise AddressError(f"this is no address: {error}") from None
    if scheme not in _DEFAULT:
        raise AddressError("the address does not begin with http:// or https://")
    if not _BRACKETS.fullmatch(parts.netloc):
        raise AddressError("its host stands in brackets, but is no IPv6 address")
    if parts.username is not None or parts.password is not None:
        raise AddressError("the address carries a user's name or password")
    port = _DEFAULT[scheme] if port is None else port
    if (port not in ports) if ports is not None else (port < 1024 and port not in PORTS):
        raise AddressError(f"port {port} is none on which a public page is served")
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port == _DEFAULT[scheme] else f"{shown}:{port}"
    whole = urlunsplit((scheme, netloc, path, query, ""))
    return Target(whole, scheme, host, port, f"{path}?{query}" if query else path)


def _host(host: str) -> str:
    if not host:
        raise AddressError("the address names no host")
    if ":" in host:
        return str(ipaddress.IPv6Address(host.split("%", 1)[0]))
    ascii_host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    ascii_host = ascii_host.removesuffix(".")
    if not _NAME.fullmatch(ascii_host):
        raise AddressError(f"{host[:80]!r} is no name of a host")
    return ascii_host


def joined(base: str, location: str) -> str:
    """Where a redirect or a link leads to, seen from an address; raises AddressError where it is none."""
    try:
        return urljoin(base, location.strip())
    except ValueError as error:
        raise AddressError(f"this is no address: {error}") from None


def refused(ip: IP) -> str | None:
    """Why no connection may go to this machine, or None; an IPv4 address inside an IPv6 one counts too."""
    for network, after in _CARRIERS:
        if ip.version == 6 and ip in network:
            inner = ipaddress.IPv4Address((int(ip) >> after) & 0xFFFFFFFF)
            why = refused(inner)
            if why or network.prefixlen == 96:
                return why
    if any(ip.version == network.version and ip in network for network in _REFUSED):
        return f"{ip} is a private, local or reserved address"
    if ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_loopback or ip.is_unspecified:
        return f"{ip} is a private, local or reserved address"
    return None
