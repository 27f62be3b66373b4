"""Fetching one address: politely, within bounds, and with every byte that passed."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import certifi
from protego import Protego

from mercwatch.capture.addresses import PORTS, AddressError, Target, joined, target
from mercwatch.capture.asking import (
    NAME,
    Answer,
    Exchange,
    FetchError,
    Headers,
    Question,
    Rules,
    ask,
    media_type,
)
from mercwatch.capture.decoding import DecodingError, decoded

__all__ = ["Exchange", "FetchError", "Fetched", "Fetcher", "Rules", "Validators", "media_type"]

_LOGIN = re.compile(r"/(log-?in|sign-?in|anmelden|connexion|sso|oauth2?|saml2?|wp-login\.php)\b", re.I)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_WAIT = 60.0
_MOST_ROBOTS = 64
_AGENT = re.compile(r"\s*user[-\s]*agent(?![^\s:])\s*:?([^#]*)", re.I)


@dataclass(frozen=True)
class Fetched:
    """What an address gave. asked, address: before and after redirects; body: without content encoding.

    moment: UTC, `2026-01-02T03:04:05Z`; exchanges: every hop, the last one is the answer.
    """

    asked: str
    address: str
    moment: str
    status: int
    headers: Headers
    media_type: str
    body: bytes
    exchanges: tuple[Exchange, ...]
    not_modified: bool = False

    def header(self, name: str) -> str:
        """A header's first value, or empty."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True)
class Validators:
    """What lets a server say that nothing changed since an earlier capture."""

    etag: str = ""
    last_modified: str = ""


class Fetcher:
    """Fetches addresses; may be used by several threads. Remembers hosts' pace and robots.txt."""

    def __init__(self, rules: Rules | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.rules = rules or Rules()
        self._sleep = sleep
        self._tls = ssl.create_default_context(cafile=certifi.where())
        self._robots: dict[str, Protego | FetchError | None] = {}
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()
        self._until = threading.local()  # when the address that a thread asks must be done with

    def trust(self, pem: Path) -> None:
        """Trust a further root certificate, beside the public ones: for a private archive, and for tests."""
        self._tls.load_verify_locations(pem)

    def fetch(self, address: str, known: Validators | None = None) -> Fetched:
        """What an address gives, after redirects; raises FetchError."""
        conditions = _conditions(known)
        self._until.moment = time.monotonic() + self.rules.whole
        answers = self._followed(address, conditions)
        if answers[-1].status == 304 and not conditions:
            raise FetchError("odd-answer", "the server answered 304 to what was not asked", 304)
        return self._checked(address, answers)

    def post(self, address: str, body: bytes, media_type: str, accept: str) -> Fetched:
        """What a service answers to a body that is sent to it, without redirects; raises FetchError."""
        headers = (("Content-Type", media_type), ("Accept", accept))
        answer = self._answer(self._target(address), Question("POST", headers, body))
        return self._checked(address, [answer])

    def _target(self, address: str) -> Target:
        try:
            return target(address, None if self.rules.loopback else PORTS)
        except AddressError as error:
            raise FetchError("no-address", str(error)) from None

    def _followed(self, address: str, headers: Headers) -> list[Answer]:
        at = self._target(address)
        answers: list[Answer] = []
        seen: set[str] = set()
        while True:
            if at.text in seen or len(seen) > self.rules.redirects:
                raise FetchError(
                    "redirects", f"it redirects in a circle, or more than {self.rules.redirects} times"
                )
            seen.add(at.text)
            self._ask_robots(at)
            answer = self._with_retries(at, headers)
            answers.append(answer)
            location = _location(answer)
            if answer.status not in _REDIRECTS or not location:
                return answers
            try:
                at = self._target(joined(at.text, location))
            except AddressError as error:
                raise FetchError("redirects", f"it redirects to what is no address: {error}") from None
            except FetchError as error:
                raise FetchError(
                    "forbidden-address", f"it redirects where we do not go: {error.message}"
                ) from None

    def _with_retries(self, at: Target, headers: Headers) -> Answer:
        wait = self.rules.back_off
        for attempt in range(self.rules.retries + 1):
            try:
                answer = self._answer(at, Question("GET", headers))
                problem = _to_retry(answer)
            except FetchError as error:
                if error.reason not in ("no-answer", "broken-answer"):
                    raise
                problem = error
            if problem is None:
                return answer
            if attempt == self.rules.retries or problem.wait > _MOST_WAIT:
                raise problem
            self._sleep(max(wait, problem.wait))
            wait *= 2
        raise AssertionError("unreachable")

    def _answer(self, at: Target, question: Question) -> Answer:
        if time.monotonic() > getattr(self._until, "moment", float("inf")):
            raise FetchError("too-slow", f"it kept us busy for more than {self.rules.whole:g} s")
        self._wait_for_turn(at)
        return ask(at, question, self.rules, self._tls)

    def _wait_for_turn(self, at: Target) -> None:
        """Keep the pace of one host: each request takes the next free moment."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next.get(at.host, now))
            self._next[at.host] = mine + self.rules.pace
        if mine > now:
            self._sleep(mine - now)

    def _ask_robots(self, at: Target) -> None:
        """Raise FetchError where the site's robots.txt asks programs like ours to stay away (RFC 9309)."""
        if not self.rules.robots:
            return
        with self._lock:
            known, told = at.origin in self._robots, self._robots.get(at.origin)
        if not known:
            told = self._robots_of(at)
            with self._lock:
                if len(self._robots) >= _MOST_ROBOTS:
                    self._robots.pop(next(iter(self._robots)))
                self._robots[at.origin] = told
        if isinstance(told, FetchError):
            raise told
        if told is not None and not told.can_fetch(at.text, NAME):
            raise FetchError("robots", "the site's robots.txt does not allow it")
        delay = float(told.crawl_delay(NAME) or 0) if told is not None else 0.0
        if delay > self.rules.pace:
            with self._lock:
                again = time.monotonic() + min(delay, _MOST_WAIT)
                self._next[at.host] = (
                    max(self._next.get(at.host, 0.0), again) if known else self._next[at.host]
                )

    def _robots_of(self, at: Target) -> Protego | FetchError | None:
        """The site's rules; None where it has none; an error where it could not say (then we stay away)."""
        place = self._target(f"{at.origin}/robots.txt")
        try:
            answer = self._with_retries(place, ())
            for _ in range(5):
                if answer.status not in _REDIRECTS or not _location(answer):
                    break
                answer = self._with_retries(self._target(joined(answer.target.text, _location(answer))), ())
            text = decoded(answer.raw[: 512 << 10], answer.header("content-encoding"), 512 << 10)
        except FetchError as error:
            if error.reason in ("server-error", "busy", "broken-answer", "too-long"):
                return FetchError(error.reason, f"its robots.txt: {error.message}", error.status)
            return error
        except (AddressError, DecodingError) as error:
            return FetchError("robots", f"its robots.txt could not be read: {error}")
        if answer.status != 200:
            return None
        return Protego.parse(_for_us(text.decode("utf-8", "replace")))

    def _checked(self, asked: str, answers: list[Answer]) -> Fetched:
        """The last answer as a document, or FetchError with what is wrong with it."""
        last = answers[-1]
        _status_is_good(last)
        exchanges = tuple(answer.exchange for answer in answers)
        not_modified = last.status == 304
        try:
            body = decoded(last.raw, last.header("content-encoding"), self.rules.decoded)
        except DecodingError as error:
            raise FetchError("packed", str(error)) from None
        if not body and not not_modified:
            raise FetchError("empty", "the answer is empty", last.status)
        if len(answers) > 1 and _LOGIN.search(last.target.path) and not _LOGIN.search(answers[0].target.path):
            raise FetchError("login", f"it leads to a login page, {last.target.text[:200]}", last.status)
        return Fetched(
            asked.strip(),
            last.target.text,
            last.exchange.moment,
            last.status,
            last.headers,
            media_type(last.header("content-type")),
            body,
            exchanges,
            not_modified,
        )


def _conditions(known: Validators | None) -> Headers:
    if known is None:
        return ()
    pairs = (("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified))
    return tuple((name, value) for name, value in pairs if value and value.isprintable() and value.isascii())


def _location(answer: Answer) -> str:
    """Where an answer redirects to, or empty: bytes beyond ASCII are UTF-8, as browsers read them."""
    value = answer.header("location").strip()
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


def _for_us(robots: str) -> str:
    """A robots.txt in which all programs that cannot be us have one name.

    Its reader holds every rule once for each name above it: thousands of both would fill the memory.
    """
    return "\n".join(_agent_line(line) for line in robots.splitlines())


def _agent_line(line: str) -> str:
    found = _AGENT.match(line)
    if found is None or not found[1].strip():
        return line
    name = found[1].strip().lower().replace("*", "")
    return f"User-agent: {(name if name in NAME.lower() else 'another') or '*'}"


def _to_retry(answer: Answer) -> FetchError | None:
    """What an answer means if trying again may help, with the seconds that the server asks us to wait."""
    if answer.status not in (429, 500, 502, 503, 504):
        return None
    reason = "busy" if answer.status in (429, 503) else "server-error"
    wait = _wait_asked(answer.header("retry-after"))
    return FetchError(reason, f"the server answered {answer.status}", answer.status, wait)


def _wait_asked(value: str) -> float:
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0


def _status_is_good(answer: Answer) -> None:
    status = answer.status
    if status in (200, 203, 304):
        return
    reason = "odd-answer"
    if status in (404, 410):
        reason = "not-found"
    elif status in (401, 403, 407, 451):
        reason = "forbidden"
    elif status >= 500:
        reason = "server-error"
    raise FetchError(reason, f"the server answered {status}", status)
