"""Second witnesses: who else can say that a capture is what was there, and who is not believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from capture.doubles import REPLY, Authority, Given, serving
from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.fetching import Fetcher
from mercwatch.capture.witnesses import (
    StampError,
    Witnesses,
    archive_elsewhere,
    configured,
    keep_token,
    kept_token,
    roots_of,
    time_stamp,
    verify_token,
)

PAGE = "https://gazette.example/law?part=2"
HASH = hashlib.sha256(b"the law as it was served").hexdigest()
OTHER = hashlib.sha256(b"another law").hexdigest()


@pytest.fixture
def fetcher() -> Fetcher:
    """The real client, allowed to ask this machine."""
    return Fetcher(Rules(loopback=True, pace=0, retries=0, body=1 << 20, seconds=10))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An honest authority."""
    return Authority(tmp_path_factory.mktemp("tsa") / "honest")


def stamped(
    fetcher: Fetcher, authority: Authority, answer: Callable[[bytes], bytes], kind: str = REPLY
) -> str:
    """The time that a stamp gives when the authority's server answers so."""
    with serving(lambda _, query: Given(headers={"Content-Type": kind}, body=answer(query))) as place:
        return time_stamp(fetcher.post, f"{place}/tsr", HASH, roots_of(authority.roots)).time


def test_a_stamp_is_on_the_captures_own_hash_and_openssl_believes_it(
    fetcher: Fetcher, authority: Authority, tmp_path: Path
) -> None:
    asked: list[bytes] = []

    def answer(path: str, query: bytes) -> Given:
        asked.append(query)
        return Given(headers={"Content-Type": REPLY}, body=authority.answer(query))

    with serving(answer) as place:
        token = time_stamp(fetcher.post, f"{place}/tsr", HASH, roots_of(authority.roots))
    assert bytes.fromhex(HASH) in asked[0]
    path = keep_token(tmp_path, token, HASH)
    assert authority.verifies(path, HASH)
    assert not authority.verifies(path, OTHER)
    assert kept_token(tmp_path, HASH, token.sha256) == token.token
    assert verify_token(token.token, HASH, roots_of(authority.roots)) == token.time
    assert abs(datetime.fromisoformat(token.time) - datetime.now(UTC)) < timedelta(minutes=2)
    assert [file.name for file in path.parent.iterdir()] == [f"{HASH}.{token.sha256[:16]}.tsr"]


def test_every_query_has_a_nonce_of_its_own(fetcher: Fetcher, authority: Authority) -> None:
    asked = set()

    def answer(query: bytes) -> bytes:
        asked.add(query)
        return authority.answer(query)

    for _ in range(2):
        stamped(fetcher, authority, answer)
    assert len(asked) == 2


def other_nonce(query: bytes) -> bytes:
    """The query with another nonce: its last byte stands before `certReq TRUE`."""
    return query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]


def other_hash(query: bytes) -> bytes:
    """The query for another document."""
    return query.replace(bytes.fromhex(HASH), bytes.fromhex(OTHER))


def broken_signature(reply: bytes) -> bytes:
    """A reply whose signature, which stands last, is changed."""
    return reply[:-6] + bytes([reply[-6] ^ 1]) + reply[-5:]


def moved_back(reply: bytes) -> bytes:
    """A reply whose time is changed to another year, its signature left as it was."""
    year = f"\x18\x0f{datetime.now(UTC):%Y}".encode()
    assert year in reply
    return reply.replace(year, b"\x18\x0f2019")


LIES: dict[str, tuple[Callable[[Authority, bytes], bytes], str]] = {
    "another-hash": (lambda tsa, query: tsa.answer(other_hash(query)), "Mismatch between messages"),
    "another-nonce": (lambda tsa, query: tsa.answer(other_nonce(query)), "Nonce mismatch"),
    "broken-signature": (lambda tsa, query: broken_signature(tsa.answer(query)), "cannot be trusted"),
    "another-time": (lambda tsa, query: moved_back(tsa.answer(query)), "cannot be trusted"),
    "not-granted": (lambda tsa, query: b"\x30\x05\x30\x03\x02\x01\x02", "did not grant the stamp (rejected)"),
    "odd-status": (lambda tsa, query: b"\x30\x05\x30\x03\x02\x01\x63", "did not grant the stamp (99)"),
    "granted-nothing": (lambda tsa, query: b"\x30\x05\x30\x03\x02\x01\x00", "this is no time stamp"),
    "garbage": (lambda tsa, query: b"<html>Welcome</html>", "this is no time stamp"),
    "cut-off": (lambda tsa, query: tsa.answer(query)[:-40], "this is no time stamp"),
    "bottomless": (lambda tsa, query: b"\x30\x80" * 30_000, "this is no time stamp"),
    "large": (lambda tsa, query: tsa.answer(query) + b"\0" * 70_000, "more than 65,536 bytes"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_authority_is_not_believed(fetcher: Fetcher, authority: Authority, lie: str) -> None:
    answer, said = LIES[lie]
    with pytest.raises(StampError) as error:
        stamped(fetcher, authority, partial(answer, authority))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_endless_answer_is_cut(fetcher: Fetcher, authority: Authority) -> None:
    with pytest.raises(FetchError) as error:
        stamped(fetcher, authority, lambda query: b"\x30" * (2 << 20))
    assert error.value.reason == "too-long"


def test_a_web_page_instead_of_a_stamp_says_to_check_the_setting(
    fetcher: Fetcher, authority: Authority
) -> None:
    with pytest.raises(
        StampError, match="answered with text/html; charset=utf-8, not with a time stamp; check MERCWATCH_TSA"
    ):
        stamped(fetcher, authority, lambda query: b"<html>Log in</html>", "text/html; charset=utf-8")


def test_a_stamp_of_an_authority_that_we_do_not_trust_counts_for_nothing(
    fetcher: Fetcher, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    with pytest.raises(StampError, match="check MERCWATCH_TSA_ROOTS"):
        stamped(fetcher, authority, stranger.answer)
    with pytest.raises(StampError, match="set MERCWATCH_TSA_ROOTS"):
        verify_token(stranger.answer(b""), HASH, ())


def test_an_authority_that_does_not_stamp_our_kind_of_hash_is_heard(
    fetcher: Fetcher, authority: Authority, tmp_path: Path
) -> None:
    picky = Authority(tmp_path / "picky", digests="sha512")
    with pytest.raises(StampError, match=r"did not grant the stamp \(rejected: "):
        stamped(fetcher, authority, picky.answer)


def test_a_token_of_one_capture_does_not_serve_for_another(authority: Authority, fetcher: Fetcher) -> None:
    kept: list[bytes] = []

    def answer(query: bytes) -> bytes:
        kept.append(authority.answer(query))
        return kept[0]

    stamped(fetcher, authority, answer)
    with pytest.raises(StampError, match="Mismatch between messages"):
        verify_token(kept[0], OTHER, roots_of(authority.roots))
    with pytest.raises(StampError, match="Nonce mismatch"):
        stamped(fetcher, authority, answer)


def test_a_damaged_or_lost_token_is_noticed(tmp_path: Path, fetcher: Fetcher, authority: Authority) -> None:
    with serving(
        lambda _, query: Given(headers={"Content-Type": REPLY}, body=authority.answer(query))
    ) as place:
        token = time_stamp(fetcher.post, place, HASH, roots_of(authority.roots))
    path = keep_token(tmp_path, token, HASH)
    path.write_bytes(token.token[:-1])
    with pytest.raises(StampError, match="the token has another hash"):
        kept_token(tmp_path, HASH, token.sha256)
    path.unlink()
    with pytest.raises(StampError, match="the token is missing"):
        kept_token(tmp_path, HASH, token.sha256)


def test_witnesses_are_off_until_they_are_configured(tmp_path: Path) -> None:
    assert configured({}) == Witnesses()
    assert configured({"MERCWATCH_TSA_ROOTS": "roots.pem"}) == Witnesses()
    with pytest.raises(StampError, match="but not MERCWATCH_TSA_ROOTS"):
        configured({"MERCWATCH_TSA": "https://tsa.example"})
    found = configured({"MERCWATCH_TSA": "https://tsa.example", "MERCWATCH_TSA_ROOTS": "roots.pem"})
    assert found == Witnesses("", "https://tsa.example", Path("roots.pem"))
    (tmp_path / "roots.pem").write_text("no certificate")
    with pytest.raises(StampError, match="give the authority's root as PEM"):
        roots_of(tmp_path / "roots.pem")


def now(days: float = 0) -> str:
    """A copy's 14 digits of time."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y%m%d%H%M%S}"


@pytest.fixture
def elsewhere(fetcher: Fetcher) -> Iterator[Callable[[Given], str]]:
    """Where the copy lies, once the archive has answered so to the request to save our page."""
    answers: dict[str, Given] = {"/robots.txt": Given(404)}

    def answer(path: str, _: bytes) -> Given:
        return answers.get(path) or Given(body=b"the page as the archive has it")

    with serving(answer) as place:

        def ask(given: Given) -> str:
            headers = {name: value.replace("PLACE", place) for name, value in given.headers.items()}
            answers[f"/save/{PAGE}"] = Given(given.status, headers, given.body)
            return archive_elsewhere(fetcher, f"{place}/save/", PAGE).replace(place, "PLACE")

        yield ask


@pytest.mark.parametrize(
    ("status", "header", "value"),
    [
        (200, "Content-Location", "/web/{now}/{page}"),
        (302, "Location", "/web/{now}/{page}"),
        (302, "Location", "PLACE/web/{now}/{page}"),
        (201, "Location", "PLACE/web/{now}/{page}"),
    ],
)
def test_an_archive_says_where_its_copy_lies_in_several_ways(
    elsewhere: Callable[[Given], str], status: int, header: str, value: str
) -> None:
    stamp = now()
    headers = {header: value.format(now=stamp, page=PAGE)}
    if status == 201:
        with pytest.raises(FetchError, match="the server answered 201"):
            elsewhere(Given(status, headers, b"saved"))
    else:
        assert elsewhere(Given(status, headers, b"saved")) == f"PLACE/web/{stamp}/{PAGE}"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", "did not say where its copy lies"),
        ("https://evil.example/web/{now}/{page}", "did not say where its copy lies"),
        ("//evil.example/web/{now}/{page}", "did not say where its copy lies"),
        ("http://127.0.0.1:9/web/{now}/{page}", "did not say where its copy lies"),
        ("javascript:alert(1)/web/{now}/{page}", "did not say where its copy lies"),
        ("/web/{now}/javascript:alert(1)", "did not say where its copy lies"),
        ("/web/{now}/https://evil.example/law", "gave a copy of another address, https://evil.example/law"),
        ("/web/{old}/{page}", "not one of now"),
        ("/web/{future}/{page}", "not one of now"),
        ("/web/20269999999999/{page}", "a copy whose time is none"),
        ("/web/{now}/{page}\x1b[31m", "did not say where its copy lies"),
    ],
)
def test_a_place_that_is_no_fresh_copy_of_our_page_is_not_taken(
    elsewhere: Callable[[Given], str], location: str, said: str
) -> None:
    value = location.format(now=now(), old=now(-30), future=now(30), page=PAGE)
    with pytest.raises(FetchError) as error:
        elsewhere(Given(200, {"Content-Location": value}, b"saved"))
    assert said in error.value.message
    assert error.value.advice


def test_an_archive_that_refuses_is_a_failed_attempt(elsewhere: Callable[[Given], str]) -> None:
    with pytest.raises(FetchError, match="the server answered 403"):
        elsewhere(Given(403, {}, b"this address is excluded"))
