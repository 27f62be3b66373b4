"""What the hostile server does, case by case, and what must come of it; as a program, it fetches them all."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import brotli

from capture.server import NOT_FOUND, Answer, Certificates, Server, Talk, chunked, ok
from mercwatch.capture.archive import Archive
from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.fetching import Fetcher

MEMORY = 400 << 20
"""Bytes that a process may have used at most, after fetching all of them."""
NORMAL = Rules(
    contact="test@example.org",
    loopback=True,
    pace=0,
    body=1 << 20,
    decoded=4 << 20,
    seconds=30,
    retries=1,
    back_off=0,
)
QUICK = 0.7
"""Seconds that slow answers get."""
KEPT = "kept"
HELLO = b"<html><p>hello</p></html>"


@dataclass(frozen=True)
class Case:
    """One way to misbehave. expected: a reason of reasons.yaml, or KEPT; body: what is kept then.

    slow: fetched with QUICK; at: the kind of origin that serves it; robots: what its robots.txt answers.
    """

    name: str
    answer: Answer
    expected: str
    body: bytes = HELLO
    slow: bool = False
    at: str = "plain"
    robots: Answer | None = None

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/{self.name}"


def _head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *lines)).encode() + b"\r\n"


def _to(location: str, status: str = "302 Found") -> bytes:
    return ok(b"", f"Location: {location}", status=status)


def _packed(body: bytes, *names: str) -> bytes:
    return ok(body, f"Content-Encoding: {', '.join(names)}")


def _status(status: str, *headers: str) -> bytes:
    return ok(HELLO, *headers, status=status)


def _chain(talk: Talk) -> None:
    number = int(talk.path.rpartition("-")[2]) if talk.path[-1].isdigit() else 0
    talk.send(_to(f"/redirect-chain-{number + 1}"))


def _fails_once(talk: Talk) -> None:
    talk.send(_status("500 Oops") if talk.number == 1 else ok(HELLO))


def _breaks_once(talk: Talk) -> None:
    talk.reset() if talk.number == 1 else talk.send(ok(HELLO))


def _cut_short(talk: Talk) -> None:
    talk.send(_head("Content-Length: 100000") + b"x" * 1_000)
    talk.reset()


def _stops(talk: Talk) -> None:
    talk.send(_head("Content-Length: 9") + b"half")
    talk.hang()


def _late(talk: Talk) -> None:
    talk.stop.wait(2 * QUICK)
    talk.send(ok(HELLO))


def _gzip_bomb(size: int) -> bytes:
    engine = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    return b"".join(engine.compress(zeros) for _ in range(size >> 20)) + engine.flush()


_BOMB = _gzip_bomb(64 << 20)
_MANY_NAMES = "".join(f"User-agent: a{n}\n" for n in range(4_000)) + "Disallow: /x\n" * 10_000

CASES = (
    # Slow, endless, too much
    Case("slow-drip-of-headers", lambda t: t.drip(_head(*["A: b"] * 1_000)), "too-slow", slow=True),
    Case("slow-drip-of-a-body", lambda t: t.drip(ok(b"x" * 1_000)), "too-slow", slow=True),
    Case("slow-drip-of-chunks", lambda t: t.drip(_head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 99), "too-slow", slow=True),
    Case("never-answers", Talk.hang, "too-slow", slow=True),
    Case("answers-after-the-deadline", _late, "too-slow", slow=True),
    Case("stops-in-the-middle", _stops, "too-slow", slow=True),
    Case("endless-body", lambda t: t.flood(b"x" * 65_536, _head()), "too-long"),
    Case("endless-chunks", lambda t: t.flood(b"1F4\r\n" + b"x" * 500 + b"\r\n", _head("Transfer-Encoding: chunked")), "too-long"),
    Case("endless-headers", lambda t: t.flood(b"A: b\r\n" * 5_000, b"HTTP/1.1 200 OK\r\n"), "broken-answer"),
    Case("endless-status-line", lambda t: t.flood(b"x" * 65_536, b"HTTP/1.1 200 "), "broken-answer"),
    Case("endless-interim-answers", lambda t: t.flood(ok(b"", "Link: " + "a" * 9_000, status="103 Early")), "too-long"),
    Case("ten-thousand-headers", ok(HELLO, *["a:b"] * 10_000), "too-long"),
    Case("three-hundred-headers", ok(HELLO, *["a:b"] * 300), "too-long"),
    Case("a-header-of-a-megabyte", ok(HELLO, "A: " + "b" * 1_000_000), "broken-answer"),
    Case("a-body-just-too-long", ok(b"x" * ((1 << 20) + 1)), "too-long"),
    # Redirects
    Case("redirect-to-itself", _to("/redirect-to-itself"), "redirects"),
    Case("redirect-to-itself-with-a-fragment", lambda t: t.send(_to(f"#{t.number}")), "redirects"),
    Case("redirect-in-a-circle", lambda t: t.send(_to("/redirect-in-a-circle?" + "ab"[t.number % 2])), "redirects"),
    Case("redirect-chain", _chain, "redirects"),
    Case("redirect-without-location", ok(b"", status="302 Found"), "odd-answer"),
    Case("redirect-to-a-script", _to("javascript:alert(1)"), "forbidden-address"),
    Case("redirect-to-a-file", _to("file:///etc/passwd"), "forbidden-address"),
    Case("redirect-to-data", _to("data:text/html,hello"), "forbidden-address"),
    Case("redirect-to-ftp", _to("ftp://127.0.0.1/a"), "forbidden-address"),
    Case("redirect-to-a-low-port", _to("http://127.0.0.1:25/"), "forbidden-address"),
    Case("redirect-to-metadata", _to("http://169.254.169.254:8080/latest/meta-data/"), "forbidden-address"),
    Case("redirect-to-metadata-as-a-number", _to("http://2852039166:8080/"), "forbidden-address"),
    Case("redirect-to-mapped-metadata", _to("http://[::ffff:169.254.169.254]:8080/"), "forbidden-address"),
    Case("redirect-to-a-private-host", _to("//10.0.0.1:8080/"), "forbidden-address"),
    Case("redirect-with-a-password", _to("http://a:b@127.0.0.1:8080/"), "forbidden-address"),
    Case("redirect-to-an-overlong-address", _to("/" + "a" * 3_000), "forbidden-address"),
    Case("redirect-with-packed-newlines", _to("/hello%0d%0aX-Injected:%20yes"), KEPT),
    Case("redirect-with-a-bomb-as-body", ok(_BOMB, "Location: /hello", "Content-Encoding: gzip", status="301 Moved"), KEPT),
    Case("redirect-to-a-login", _to("/login?next=/secret"), "login"),
    Case("redirect-beyond-ascii", lambda t: t.send(_to("/hell\xc3\xb6")), KEPT),
    # Lengths
    Case("length-too-long", ok(HELLO, "Content-Length: 1000"), "broken-answer"),
    Case("length-too-short", ok(HELLO, "Content-Length: 6"), KEPT, HELLO[:6]),
    Case("length-negative", ok(HELLO, "Content-Length: -1"), "broken-answer"),
    Case("length-huge", ok(HELLO, f"Content-Length: {10**15}"), "broken-answer"),
    Case("length-beyond-numbers", ok(HELLO, f"Content-Length: {'9' * 5_000}"), "broken-answer"),
    Case("length-in-words", ok(HELLO, "Content-Length: five"), "broken-answer"),
    Case("two-lengths-that-differ", ok(HELLO, "Content-Length: 5", "Content-Length: 7"), "broken-answer"),
    Case("two-lengths-alike", ok(HELLO, f"Content-Length: {len(HELLO)}", f"Content-Length: {len(HELLO)}"), KEPT),
    # Chunks
    Case("chunk-size-that-is-none", _head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n", "broken-answer"),
    Case("chunk-size-negative", _head("Transfer-Encoding: chunked") + b"-5\r\nhello\r\n0\r\n\r\n", "broken-answer"),
    Case("chunk-size-huge", _head("Transfer-Encoding: chunked") + b"FFFFFFFFFFFF\r\nhello", "broken-answer"),
    Case("chunk-size-overflow", _head("Transfer-Encoding: chunked") + b"F" * 30 + b"\r\nhello", "broken-answer"),
    Case("chunk-longer-than-it-says", _head("Transfer-Encoding: chunked") + b"2\r\nhello\r\n0\r\n\r\n", "broken-answer"),
    Case("chunks-without-end", _head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n", "broken-answer"),
    Case("chunks-with-trailers", _head("Transfer-Encoding: chunked") + chunked(HELLO)[:-2] + b"Vary: a\r\n\r\n", KEPT),
    Case("chunks-with-extensions", _head("Transfer-Encoding: chunked") + b"5;a=b\r\nhello\r\n0\r\n\r\n", KEPT, b"hello"),
    Case("chunks-with-long-extensions", _head("Transfer-Encoding: chunked") + b"5;" + b"a" * 90 + b"\r\nhello\r\n0\r\n\r\n", KEPT, b"hello"),
    Case("chunks-in-capitals", _head("TRANSFER-ENCODING: Chunked") + chunked(HELLO), KEPT),
    Case("chunks-and-a-length", _head("Transfer-Encoding: chunked", "Content-Length: 3") + chunked(HELLO), KEPT),
    Case("chunks-and-more-behind-them", _head("Transfer-Encoding: chunked") + chunked(HELLO) + ok(b"smuggled"), KEPT),
    Case("chunks-of-one-byte", _head("Transfer-Encoding: chunked") + chunked(b"x" * 3_000, 1), KEPT, b"x" * 3_000),
    Case("chunks-packed-twice", _head("Transfer-Encoding: gzip, chunked") + chunked(HELLO), "broken-answer"),
    Case("chunks-announced-only", _head("Transfer-Encoding: chunked") + HELLO, "broken-answer"),
    # Packing
    Case("gzip", _packed(gzip.compress(HELLO), "gzip"), KEPT),
    Case("gzip-in-two-pieces", _packed(gzip.compress(HELLO[:9]) + gzip.compress(HELLO[9:]), "gzip"), KEPT),
    Case("gzip-with-more-behind-it", _packed(gzip.compress(HELLO) + b"more", "gzip"), KEPT),
    Case("gzip-in-chunks", _head("Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunked(gzip.compress(HELLO)), KEPT),
    Case("deflate", _packed(zlib.compress(HELLO), "deflate"), KEPT),
    Case("brotli", _packed(brotli.compress(HELLO), "br"), KEPT),
    Case("gzip-bomb", _packed(_BOMB, "gzip"), "packed"),
    Case("gzip-in-gzip-bomb", _packed(gzip.compress(_BOMB), "gzip", "gzip"), "packed"),
    Case("deflate-bomb", _packed(zlib.compress(bytes(64 << 20)), "deflate"), "packed"),
    Case("brotli-bomb", _packed(brotli.compress(bytes(64 << 20), quality=5), "br"), "packed"),
    Case("gzip-of-nothing-many-times", _packed(gzip.compress(b"") * 2_000, "gzip"), "packed"),
    Case("gzip-cut-off", _packed(gzip.compress(HELLO)[:-9], "gzip"), "packed"),
    Case("brotli-cut-off", _packed(brotli.compress(HELLO)[:-4], "br"), "packed"),
    Case("gzip-that-is-none", _packed(HELLO, "gzip"), "packed"),
    Case("packed-in-an-unknown-way", _packed(HELLO, "zzz"), "packed"),
    Case("packed-three-times", _packed(HELLO, "gzip", "br", "gzip"), "packed"),
    # What is no answer
    Case("garbage", bytes(range(256)) * 20, "broken-answer"),
    Case("html-without-a-head", HELLO, "broken-answer"),
    Case("another-protocol", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "broken-answer"),
    Case("switches-the-protocol", b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n" + HELLO, "broken-answer"),
    Case("interim-answers-first", b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" * 3 + ok(HELLO), KEPT),
    Case("a-null-in-a-header", ok(HELLO, "A: b\0c"), "broken-answer"),
    Case("a-lone-return-in-a-header", ok(HELLO, "A: b\rContent-Encoding: gzip"), "broken-answer"),
    Case("a-header-without-name", ok(HELLO, ": b"), "broken-answer"),
    Case("a-space-before-the-colon", ok(HELLO, "A : b"), "broken-answer"),
    Case("headers-beyond-ascii", ok(HELLO, "A: \xe9\xff", "ETag: \xc3\xa9", "Content-Type: text/html; charset=\xe9"), KEPT),
    Case("a-folded-header", ok(HELLO, "A: b\r\n c", "ETag: x"), KEPT),
    Case("a-folded-header-that-hides-the-rest", ok(gzip.compress(HELLO + b" folded", mtime=0), "A: b\r\n \x1f", "Content-Encoding: gzip"), "broken-answer"),
    Case("a-later-version", ok(HELLO).replace(b"HTTP/1.1", b"HTTP/1.7"), KEPT),
    Case("an-earlier-version", ok(HELLO).replace(b"HTTP/1.1", b"HTTP/1.0"), KEPT),
    Case("lines-without-return", ok(HELLO).replace(b"\r\n", b"\n"), KEPT),
    Case("closes-at-once", b"", "broken-answer"),
    Case("resets-at-once", Talk.reset, "broken-answer"),
    Case("resets-in-the-middle", _cut_short, "broken-answer"),
    Case("resets-once", _breaks_once, KEPT),
    # What is an answer, but no document
    Case("empty", ok(b""), "empty"),
    Case("empty-and-packed", _packed(b"", "gzip"), "empty"),
    Case("204-with-a-body", _status("204 No Content"), "odd-answer"),
    Case("206", _status("206 Partial Content"), "odd-answer"),
    Case("304-that-was-not-asked", ok(b"", status="304 Not Modified"), "odd-answer"),
    Case("401", _status("401 Unauthorized"), "forbidden"),
    Case("403", _status("403 Forbidden"), "forbidden"),
    Case("404", _status("404 Not Found"), "not-found"),
    Case("410", _status("410 Gone"), "not-found"),
    Case("429-for-ages", _status("429 Slow", "Retry-After: 99999999999"), "busy"),
    Case("429-negative", _status("429 Slow", "Retry-After: -5"), "busy"),
    Case("429-until-a-date", _status("429 Slow", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT"), "busy"),
    Case("429-until-no-date", _status("429 Slow", f"Retry-After: Mon, 01 Jan {'9' * 30} 00:00:00 GMT"), "busy"),
    Case("500", _status("500 Oops"), "server-error"),
    Case("500-then-200", _fails_once, KEPT),
    Case("999", _status("999 Odd"), "server-error"),
    Case("a-charset-that-lies", ok("Gesetz über".encode("utf-16"), "Content-Type: text/html; charset=us-ascii"), KEPT, "Gesetz über".encode("utf-16")),
    # Certificates
    Case("certificate-good", ok(HELLO), KEPT, at="good"),
    Case("certificate-self-signed", ok(HELLO), "certificate", at="self_signed"),
    Case("certificate-expired", ok(HELLO), "certificate", at="expired"),
    Case("certificate-of-another-host", ok(HELLO), "certificate", at="other_host"),
    Case("tls-that-is-none", lambda t: t.send(ok(HELLO)), "no-answer", at="raw"),
    Case("tls-that-stalls", Talk.hang, "no-answer", slow=True, at="raw"),
    Case("tls-that-drips", lambda t: t.drip(b"\x16\x03\x03\x40\x00" + bytes(1_000)), "no-answer", slow=True, at="raw"),
    # robots.txt
    Case("robots-forbids", ok(HELLO), "robots", robots=ok(b"User-agent: *\nDisallow: /\n")),
    Case("robots-forbids-us", ok(HELLO), "robots", robots=ok(b"User-agent: a\nUser-agent: mercwatch\nDisallow: /robots\n")),
    Case("robots-forbids-others", ok(HELLO), KEPT, robots=ok(b"User-agent: googlebot\nDisallow: /\n")),
    Case("robots-allows-us", ok(HELLO), KEPT, robots=ok(b"User-agent: *\nDisallow: /\n\nUser-agent: Mercwatch\nAllow: /\n")),
    Case("robots-fails", ok(HELLO), "server-error", robots=_status("500 Oops")),
    Case("robots-resets", ok(HELLO), "broken-answer", robots=Talk.reset),
    Case("robots-endless", ok(HELLO), "too-long", robots=lambda t: t.flood(b"#" * 65_536, _head())),
    Case("robots-of-ten-megabytes", ok(HELLO), "too-long", robots=ok(b"#" * 10_000_000)),
    Case("robots-bomb", ok(HELLO), "robots", robots=_packed(_BOMB, "gzip")),
    Case("robots-in-a-circle", ok(HELLO), KEPT, robots=_to("/robots.txt")),
    Case("robots-to-metadata", ok(HELLO), "forbidden-address", robots=_to("http://169.254.169.254:8080/")),
    Case("robots-garbage", ok(HELLO), KEPT, robots=ok(bytes(range(256)) * 100)),
    Case("robots-of-many-names-and-rules", ok(HELLO), KEPT, robots=ok(_MANY_NAMES.encode())),
    Case("robots-with-an-absurd-delay", ok(HELLO), KEPT, robots=ok(b"User-agent: *\nCrawl-delay: 1e300\n")),
    Case("robots-not-there", ok(HELLO), KEPT, robots=NOT_FOUND),
)  # fmt: skip


def serve(server: Server, made: Certificates) -> dict[str, str]:
    """Put every case on the server; their addresses by name."""
    plain: dict[str, Answer] = {case.path: case.answer for case in CASES}
    plain |= {f"/redirect-chain-{n}": _chain for n in range(1, 60)}
    plain |= dict.fromkeys(
        ("/hello", "/hello%0d%0aX-Injected:%20yes", "/hell%C3%B6", "/login?next=/secret"), ok(HELLO)
    )
    plain |= {
        f"/redirect-in-a-circle?{way}": next(c.answer for c in CASES if c.name == "redirect-in-a-circle")
        for way in "ab"
    }
    origins = {
        "plain": server.listen(plain),
        **{
            name: server.listen(plain, tls=getattr(made, name))
            for name in ("good", "self_signed", "expired", "other_host")
        },
    }
    found = {}
    for case in CASES:
        if case.at == "raw":
            assert callable(case.answer)
            origin = server.listen({}, raw=case.answer)
        elif case.robots is not None:
            origin = server.listen({**plain, "/robots.txt": case.robots})
        else:
            origin = origins[case.at]
        found[case.name] = origin + case.path
    return found


def _peak() -> int:
    """The most memory that this process ever had, in bytes (not what it was forked from had)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def fetch_all(addresses: dict[str, str], folder: Path, root: Path) -> dict[str, object]:
    """Fetch every case into an archive, many at a time; what came of each, and what it cost."""
    sleeps: list[float] = []
    fetchers = {
        slow: Fetcher(Rules(**{**vars(NORMAL), "seconds": QUICK if slow else NORMAL.seconds}), sleeps.append)
        for slow in (False, True)
    }
    for fetcher in fetchers.values():
        fetcher.trust(root)
    with Archive.open(folder, write=True) as archive, ThreadPoolExecutor(12) as pool:

        def one(case: Case) -> dict[str, object]:
            began = time.monotonic()
            reason, sha256, problem = KEPT, "", ""
            try:
                fetched = fetchers[case.slow].fetch(addresses[case.name])
                kept = archive.keep(fetched)
                sha256 = kept.sha256
                assert archive.body(kept) == fetched.body
            except FetchError as error:
                reason, problem = error.reason, str(error)
                archive.fail(addresses[case.name], "2026-01-02T03:04:05Z", error)
            except Exception as error:
                reason, problem = f"{type(error).__name__}: {error}", ""
            return {
                "reason": reason,
                "sha256": sha256,
                "message": problem,
                "seconds": time.monotonic() - began,
            }

        outcomes = dict(zip((case.name for case in CASES), pool.map(one, CASES), strict=True))
        problems = list(archive.verify())
    return {
        "outcomes": outcomes,
        "problems": problems,
        "memory": _peak(),
        "threads": sorted(t.name for t in threading.enumerate() if not t.name.startswith("resolve")),
        "sockets": sum(_is_socket(path) for path in Path("/proc/self/fd").iterdir()),
        "longest_sleep": max(sleeps, default=0.0),
    }


def _is_socket(path: Path) -> bool:
    try:
        return str(path.readlink()).startswith("socket:")
    except OSError:
        return False


if __name__ == "__main__":
    told = json.load(sys.stdin)
    json.dump(fetch_all(told["addresses"], Path(told["folder"]), Path(told["root"])), sys.stdout)
