"""One request and its answer, within bounds, with every byte that passed."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpcore

from mercwatch.capture.addresses import Target
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.connecting import ForbiddenAddress, Guarded, Tape, TooLong, TooSlow
from mercwatch.capture.decoding import BLANK, dechunked
from mercwatch.framework.yaml12 import shipped

Headers = tuple[tuple[str, str], ...]
NAME = "Mercwatch"
_ACCEPT = "text/html,application/pdf,application/xml;q=0.9,*/*;q=0.8"
_HEAD_ROOM = 1 << 20
MAX_REDIRECT = 256 << 10
"""Bytes of the body of an answer that leads on to another address."""
_SMALL_LETTERS = re.compile(rb"(?m)^(?i:transfer-encoding)[ \t]*:[ \t]*chunked[ \t]*\r?$")
"""How chunks are announced so that every tool sees it: some take `Chunked` for something else."""
_CHUNKED = re.compile(rb"(?im)(^)(transfer-encoding[ \t]*:)")


@dataclass(frozen=True)
class Rules:
    """How we fetch. loopback: a setting for tests alone. Bytes; seconds.

    pace: between the beginnings of two requests to one host; decoded: bytes of a body once unpacked;
    seconds: for one exchange, from the name's lookup to the last byte; whole: for an address with all its
    redirects and retries, after which no further request is made; back_off: before the first retry,
    doubled for each further one.
    """

    contact: str = ""
    loopback: bool = False
    pace: float = 2.0
    robots: bool = True
    body: int = 64 << 20
    decoded: int = 128 << 20
    headers: int = 256
    redirects: int = 8
    seconds: float = 60.0
    whole: float = 300.0
    connect: float = 10.0
    retries: int = 2
    back_off: float = 2.0

    @property
    def agent(self) -> str:
        """The user agent: who we are, and where to complain."""
        contact = re.sub(r"[^\x21-\x7e]", "", self.contact)
        return f"{NAME}/0.1 (public archive of official documents; complaints: {contact})"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, byte for byte; chunks are kept, what follows the answer's end is not."""

    address: str
    moment: str
    request: bytes
    response: bytes
    peer: str = ""


@cache
def advice(reason: str) -> str:
    """What a person can do where an attempt failed for a reason."""
    found: str = shipped(Path(__file__).parent / "reasons.yaml")[reason]
    return found


class FetchError(Exception):
    """An attempt that failed. reason: a key of reasons.yaml; message: one line."""

    def __init__(self, reason: str, message: str, status: int | None = None, wait: float = 0.0) -> None:
        self.reason = reason
        self.message = message
        self.advice = advice(reason)
        self.status = status
        self.wait = wait
        super().__init__(f"{message}; {self.advice}")


@dataclass(frozen=True)
class Answer:
    """The answer of one exchange; raw: its body as served, without chunks."""

    target: Target
    status: int
    headers: Headers
    raw: bytes
    exchange: Exchange

    def header(self, name: str) -> str:
        """A header's first value, or empty."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True)
class Question:
    """What is sent, beside what every request of ours says."""

    method: str = "GET"
    headers: Headers = ()
    body: bytes = b""


def ask(at: Target, question: Question, rules: Rules, tls: ssl.SSLContext) -> Answer:
    """Send one request and read its answer, over a connection of its own; raises FetchError."""
    tape = Tape(rules.body + _HEAD_ROOM, time.monotonic() + rules.seconds)
    backend = Guarded(tape, rules.loopback)
    asked = moment()
    limits = dict.fromkeys(("read", "write", "pool"), rules.seconds) | {"connect": rules.connect}
    try:
        with (
            httpcore.ConnectionPool(tls, max_keepalive_connections=0, network_backend=backend) as pool,
            pool.stream(
                question.method,
                at.text,
                headers=_sent(at, question, rules),
                content=question.body or None,
                extensions={"timeout": limits},
            ) as response,
        ):
            found = _headers_of(response, rules.headers)
            status = response.status
            leads_on = 300 <= status < 400 and any(name.lower() == "location" for name, _ in found)
            raw = _body_of(response, min(rules.body, MAX_REDIRECT) if leads_on else rules.body)
    except Exception as error:
        raise _told(error, rules) from None
    kept = _kept(tape.received, raw, any(name.lower() == "transfer-encoding" for name, _ in found))
    return Answer(at, status, found, raw, Exchange(at.text, asked, bytes(tape.sent), kept, backend.peer))


def _kept(received: bytearray, raw: bytes, chunked: bool) -> bytes:
    """The answer as it is kept: its head and body, without interim answers and what followed its end.

    Chunks are kept where tools for archives read them as we did; else the body is kept without them, and the
    header that announced them is renamed, as such tools do it.
    """
    at = _skip(received)
    blank = BLANK.search(received, at)
    if blank is None:
        return bytes(received[at:])
    head = bytes(received[at : blank.end()])
    if not chunked:
        return head + raw
    body = bytes(received[blank.end() :])
    if _SMALL_LETTERS.search(head) and dechunked(body) == raw:
        return head + body
    return _CHUNKED.sub(rb"\1X-Archive-Orig-\2", head) + raw


def _sent(at: Target, question: Question, rules: Rules) -> list[tuple[bytes, bytes]]:
    own = [("Host", at.text.split("/", 3)[2]), ("User-Agent", rules.agent)]
    if not any(name.lower() == "accept" for name, _ in question.headers):
        own.append(("Accept", _ACCEPT))
    own += [("Accept-Encoding", "identity"), *question.headers]
    if question.body:
        own.append(("Content-Length", str(len(question.body))))
    own.append(("Connection", "close"))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in own]


def media_type(content_type: str) -> str:
    """A media type with its charset, in plain characters; `application/octet-stream` where there is none."""
    plain = re.sub(r"[^\x20-\x7e]", "", content_type).strip().lower()[:200]
    return plain or "application/octet-stream"


def _headers_of(response: httpcore.Response, most: int) -> Headers:
    if len(response.headers) > most:
        raise TooLong(f"the answer has more than {most} headers")
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)


def _body_of(response: httpcore.Response, most: int) -> bytes:
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > most:
            raise TooLong
    return bytes(body)


def _skip(received: bytearray) -> int:
    """Bytes of the interim answers (1xx) that came before the answer itself."""
    at = 0
    while received[at : at + 5] == b"HTTP/" and received[at + 9 : at + 10] == b"1":
        blank = BLANK.search(received, at)
        if blank is None:
            break
        at = blank.end()
    return at


# The innermost cause may be the telling one (a certificate, behind a failed connection): first kind first.
_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (ssl.SSLCertVerificationError, "certificate", "its certificate is not valid: {cause}"),
    (ForbiddenAddress, "forbidden-address", "the host is not public: {cause}"),
    (TooSlow, "too-slow", "{slow}"),
    (TooLong, "too-long", "the answer is larger than {most} bytes"),
    (httpcore.ReadTimeout, "too-slow", "{slow}"),
    (httpcore.WriteTimeout, "too-slow", "{slow}"),
    (httpcore.ConnectError, "no-answer", "no connection: {cause}"),
    (httpcore.ConnectTimeout, "no-answer", "no connection: {cause}"),
    (httpcore.ProtocolError, "broken-answer", "the answer breaks the rules of HTTP: {cause}"),
    (httpcore.NetworkError, "broken-answer", "the connection broke: {cause}"),
    (OSError, "broken-answer", "the connection broke: {cause}"),
)


def _told(error: Exception, rules: Rules) -> FetchError:
    """What went wrong in an exchange, as a reason and a line; raises what is a mistake of ours."""
    slow = f"it did not answer in full within {rules.seconds:g} s"
    causes = _causes(error)
    for kind, reason, words in _REASONS:
        for cause in causes:
            if isinstance(cause, kind):
                told = one_line(cause, 160) or type(cause).__name__
                known = {"slow": slow, "most": f"{rules.body:,}", "cause": told}
                return FetchError(reason, (str(cause) if kind is TooLong else "") or words.format(**known))
    raise error


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
