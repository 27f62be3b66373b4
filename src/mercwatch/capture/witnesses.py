"""Second witnesses: a copy in an archive that is not ours, and an RFC 3161 time stamp on a hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from mercwatch.capture.addresses import AddressError, Target, joined, target
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.fetching import Fetched, Fetcher, FetchError
from mercwatch.record.writing import write_whole

MAX_TOKEN = 64 << 10
"""Bytes of an answer with a token; real ones have 2 to 8 KiB."""
_OLDEST_COPY = timedelta(days=1)
_CLOCKS = timedelta(minutes=10)
_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_COPY = re.compile(r"/(?:[\w.-]+/)*(\d{14})(?:[a-z]{2}_)?/(https?:/.+)")
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_STATUS = ("granted", "granted with changes", "rejected", "waiting", "revocation warning", "revoked")


class StampError(Exception):
    """A time stamp that is not one on this hash by a trusted authority; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Token:
    """A time stamp. time: `2026-01-02T03:04:05Z`; token: the whole answer, DER; sha256: of the token."""

    authority: str
    time: str
    token: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who is asked, as configured; empty: nobody. roots: a PEM file of the certificates that are trusted."""

    archive: str = ""
    authority: str = ""
    roots: Path | None = None


class Post(Protocol):
    """Sends a body to a service: `Fetcher.post`."""

    def __call__(self, address: str, body: bytes, media_type: str, accept: str) -> Fetched:
        """What the service answers; raises FetchError."""


def configured(settings: Mapping[str, str]) -> Witnesses:
    """The witnesses that the environment names; raises StampError where an authority has no roots."""
    authority = settings.get("MERCWATCH_TSA", "").strip()
    roots = settings.get("MERCWATCH_TSA_ROOTS", "").strip()
    if authority and not roots:
        raise StampError(
            "MERCWATCH_TSA is set, but not MERCWATCH_TSA_ROOTS; give the PEM file of the roots that you trust"
        )
    archive = settings.get("MERCWATCH_SECOND_ARCHIVE", "").strip()
    return Witnesses(archive, authority, Path(roots) if authority else None)


def archive_elsewhere(fetcher: Fetcher, service: str, address: str) -> str:
    """Ask a Wayback-like service (`https://web.archive.org/save/`) to keep an address; where its copy lies.

    The copy must be on the service's own host, of this address, and fresh. Raises FetchError.
    """
    wanted = _target(address)
    fetched = fetcher.fetch(service + wanted.text)
    host = _target(service)
    places = (fetched.header("content-location"), fetched.header("location"), fetched.address)
    copies = [_copy(fetched.address, place) for place in places if place]
    found = next((copy for copy in copies if copy and copy[0].origin == host.origin), None)
    if found is None:
        raise FetchError("odd-answer", f"{host.host} did not say where its copy lies", fetched.status)
    place, stamp, inner = found
    if _loosely(inner) != _loosely(wanted.text):
        raise FetchError(
            "odd-answer", f"{host.host} gave a copy of another address, {inner[:200]}", fetched.status
        )
    _check_fresh(stamp, fetched, host.host)
    return place.text


def _copy(base: str, place: str) -> tuple[Target, str, str] | None:
    """A copy's address taken apart: itself, its 14 digits of time, the address that it is of."""
    try:
        at = target(joined(base, place), None)
    except AddressError:
        try:
            at = target(joined(base, place))
        except AddressError:
            return None
    match = _COPY.fullmatch(at.path)
    return (at, match.group(1), match.group(2)) if match else None


def _check_fresh(stamp: str, fetched: Fetched, host: str) -> None:
    now = _moment(fetched.moment)
    try:
        made = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise FetchError(
            "odd-answer", f"{host} gave a copy whose time is none, {stamp}", fetched.status
        ) from None
    if abs(now - made) > _OLDEST_COPY:
        raise FetchError(
            "odd-answer", f"{host} gave a copy of {made:%Y-%m-%d}, not one of now", fetched.status
        )


def _target(address: str) -> Target:
    """An address on whatever port: where we may connect to, the fetcher decides."""
    try:
        return target(address)
    except AddressError as error:
        try:
            return target(address, None)
        except AddressError:
            raise FetchError("no-address", str(error)) from None


def _loosely(address: str) -> str:
    """An address without what archives leave out: the scheme, its doubled slash, a slash at the end."""
    return re.sub(r"\Ahttps?:/+", "", address).rstrip("/")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def roots_of(path: Path) -> tuple[Certificate, ...]:
    """The certificates in a PEM file; raises StampError."""
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise StampError(
            f"{path}: no trusted certificate can be read here ({error}); give the authority's root as PEM"
        ) from None


def time_stamp(post: Post, authority: str, sha256: str, roots: tuple[Certificate, ...]) -> Token:
    """Ask an authority to stamp a hash (64 hexadecimal digits), and check its answer.

    Raises StampError, and FetchError where the authority cannot be asked.
    """
    query, nonce = _query(bytes.fromhex(sha256))
    fetched = post(authority, query, _QUERY, _REPLY)
    if fetched.media_type.split(";")[0] != _REPLY:
        raise StampError(
            f"{authority} answered with {fetched.media_type[:60]}, not with a time stamp; check MERCWATCH_TSA"
        )
    made = _checked(fetched.body, sha256, roots, nonce)
    apart = abs(made - _moment(fetched.moment))
    if apart > _CLOCKS:
        raise StampError(
            f"the stamp's clock and ours are {apart} apart; set this machine's clock, then ask again"
        )
    return Token(authority, moment(made), fetched.body, hashlib.sha256(fetched.body).hexdigest())


def verify_token(token: bytes, sha256: str, roots: tuple[Certificate, ...]) -> str:
    """The time at which a token says that the hash existed, `2026-01-02T03:04:05Z`; raises StampError."""
    return moment(_checked(token, sha256, roots, None))


def _query(digest: bytes) -> tuple[bytes, int]:
    """A query over a hash, with a nonce, asking for the certificate; and the nonce.

    The library hashes what it is given, and we have only the hash: so its own is replaced.
    """
    request = TimestampRequestBuilder().data(b"mercwatch").hash_algorithm(HashAlgorithm.SHA256).build()
    if request.nonce is None:
        raise AssertionError("the library made a query without a nonce")
    return request.as_bytes().replace(hashlib.sha256(b"mercwatch").digest(), digest), request.nonce


def _checked(token: bytes, sha256: str, roots: tuple[Certificate, ...], nonce: int | None) -> datetime:
    """The time of a token that is granted, over this hash, signed under these roots, with this nonce."""
    if len(token) > MAX_TOKEN:
        raise StampError(f"a time stamp of more than {MAX_TOKEN:,} bytes is none; check MERCWATCH_TSA")
    if not roots:
        raise StampError("no trusted root is given for time stamps; set MERCWATCH_TSA_ROOTS")
    try:
        answer = decode_timestamp_response(token)
        _check_granted(answer)
        if answer.tst_info.message_imprint.hash_algorithm != _SHA256:
            raise StampError("the stamp is over another kind of hash than SHA-256; ask another authority")
        VerifierBuilder(roots=list(roots), nonce=nonce).build().verify(answer, bytes.fromhex(sha256))
        made = answer.tst_info.gen_time
    except VerificationError as error:
        raise StampError(f"the stamp cannot be trusted: {error}; check MERCWATCH_TSA_ROOTS") from None
    except ValueError as error:
        raise StampError(f"this is no time stamp: {str(error)[:120]}; check MERCWATCH_TSA") from None
    return made.astimezone(UTC)


def _check_granted(answer: TimeStampResponse) -> None:
    if answer.status == 0:
        return
    status = _STATUS[answer.status] if 0 <= answer.status < len(_STATUS) else str(answer.status)
    words = one_line(" ".join(answer.status_string), 120)
    raise StampError(
        f"the authority did not grant the stamp ({status}{words and ': '}{words}); ask another one"
    )


def token_path(archive: Path, sha256: str, token_sha256: str) -> Path:
    """Where a token on a capture's hash lies in an archive's folder; a capture may have several."""
    return archive / "stamps" / f"{sha256}.{token_sha256[:16]}.tsr"


def keep_token(archive: Path, token: Token, sha256: str) -> Path:
    """Write a token on a capture's hash, whole or not at all; `openssl ts -verify -in` reads it."""
    path = token_path(archive, sha256, token.sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, token.token)
    return path


def kept_token(archive: Path, sha256: str, token_sha256: str) -> bytes:
    """The kept token on a capture's hash; its own hash is checked. Raises StampError."""
    path = token_path(archive, sha256, token_sha256)
    try:
        with path.open("rb") as stream:
            token = stream.read(MAX_TOKEN + 1)
    except OSError:
        raise StampError(f"{path}: the token is missing; bring it back from a copy of the archive") from None
    if hashlib.sha256(token).hexdigest() != token_sha256:
        raise StampError(f"{path}: the token has another hash; bring it back from a copy of the archive")
    return token
