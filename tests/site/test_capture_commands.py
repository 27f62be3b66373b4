"""The capture commands as a person uses them, against a real server on loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from capture.doubles import REPLY, Authority, Given
from capture.doubles import serving as answering
from conftest import SMALL, Run
from mercwatch.capture.archive import Archive

LAW = """<html lang="en"><head><title>Law on intrusion</title></head><body><main><h1>Law on intrusion</h1>
<p>Article 1. The agencies named in this law may enter a device only under a warrant given by a judge.</p>
<p>Article 2. A warrant is given where other means are without hope, and for ninety days at most.</p>
<p>Article 3. The committee of parliament reports each year on the warrants, the agencies and the errors.</p>
</main></body></html>"""
LOGIN = '<html><head><title>Sign in</title></head><body><form><input type="password" name="p"></form></body></html>'
PAGES = {
    "/law": (200, LAW),
    "/login": (200, LOGIN),
    "/forbidden": (403, "no"),
    "/empty": (200, ""),
}


@dataclass
class Gazette:
    """A server of pages that a test can change. asked: paths that were asked for, in order."""

    address: str = ""
    pages: dict[str, tuple[int, str]] = field(default_factory=lambda: dict(PAGES))
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(gazette: Gazette) -> Iterator[Gazette]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gazette.asked.append(self.path)
            status, text = gazette.pages.get(self.path, (404, "nothing here"))
            body = text.encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", text)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if status == 503:
                self.send_header("Retry-After", "600")  # longer than we wait: said at once
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    gazette.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield gazette
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def gazette() -> Iterator[Gazette]:
    with serving(Gazette()) as made:
        yield made


@pytest.fixture
def desk(mercwatch: Run, tmp_path: Path, gazette: Gazette, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with an archive, a contact, and a record whose source lies on the loopback server."""
    monkeypatch.setenv("MERCWATCH_CAPTURE_LOOPBACK", "yes")
    monkeypatch.setenv("MERCWATCH_CONTACT", "archive@mercwatch.example")
    monkeypatch.setenv("MERCWATCH_ARCHIVE", str(tmp_path / "archive"))
    sheet = tmp_path / "record.yaml"
    sheet.write_text(SMALL.replace("https://gazette.example/law", f"{gazette.address}/law"))
    assert mercwatch("add", sheet, "--on", "2026-01-10").returncode == 0
    return mercwatch


def entries(desk: Run, tmp_path: Path, kind: str) -> list[dict[str, object]]:
    """The bodies of one kind, as the record dumps them."""
    assert desk("dump", tmp_path / "dump").returncode == 0
    file = tmp_path / "dump" / f"{kind}.jsonl"
    return (
        [json.loads(line)["entry"]["body"] for line in file.read_text().splitlines()] if file.exists() else []
    )


def test_a_pending_source_is_kept_and_named_and_what_fails_is_said_in_one_line(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    bad = [f"{gazette.address}{path}" for path in ("/login", "/none", "/forbidden", "/empty")]
    bad += ["gopher://x", "http://10.0.0.1/", "http://nowhere.invalid/"]
    run = desk("capture", "--pending", "--pace", "0", *bad)
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    assert len(lines) == 1 + len(bad)
    wanted = {
        "/login": "import-warc",
        "/none": "404",
        "/forbidden": "403",
        "/empty": "empty",
        "gopher://x": "http://",
        "10.0.0.1": "private",
        "nowhere.invalid": "no connection",
    }
    for part, said in wanted.items():
        assert any(part in line and "failed" in line and said in line for line in lines), (part, lines)
    captures = entries(desk, tmp_path, "captures")
    assert [capture["sha256"] for capture in captures] == [hashlib.sha256(LAW.encode()).hexdigest()]
    failures = desk("archive", "failures").stdout.splitlines()
    assert [line.split()[1] for line in failures if gazette.address in line] != []
    assert len(failures) == len(bad)
    assert desk("archive", "verify").returncode == 0
    again = desk("capture", "--pending", "--pace", "0")
    assert again.returncode == 0 and again.stdout == ""


def test_without_an_address_for_complaints_nothing_is_fetched(desk: Run, gazette: Gazette) -> None:
    run = desk("capture", "--pending", MERCWATCH_CONTACT="")
    assert run.returncode == 2
    assert "MERCWATCH_CONTACT" in run.stderr
    assert gazette.asked == []


def test_a_capture_that_a_killed_run_left_is_named_without_asking_again(
    desk: Run, tmp_path: Path, gazette: Gazette, database: Path
) -> None:
    assert (
        desk("capture", f"{gazette.address}/law", MERCWATCH_DB=str(tmp_path / "other.sqlite3")).returncode
        == 0
    )
    asked = list(gazette.asked)
    run = desk("capture", "--pending")
    assert run.returncode == 0
    assert "1 captures of an earlier run named" in run.stdout
    assert gazette.asked == asked
    assert len(entries(desk, tmp_path, "captures")) == 1


def test_what_becomes_of_a_passage_is_said_recorded_queued_and_shown(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    assert desk("capture", "--pending").returncode == 0
    for words in ("Article 1.", "Article 2.", "Article 3."):
        piece = {"Article 1.": "2", "Article 2.": "3", "Article 3.": "4"}[words]
        cut = desk("cut", "src-law", "--piece", piece, "--article", words.rstrip("."), "--quote")
        assert cut.returncode == 0, cut.stderr
    changed = LAW.replace("<h1>", "<p>A notice that stands above the law since this morning.</p><h1>")
    changed = changed.replace("for ninety days", "for nine hundred days")
    changed = changed[: changed.index("<p>Article 3.")] + "</main></body></html>"
    gazette.pages["/law"] = (200, changed)
    run = desk("recheck", "--pace", "0")
    assert run.returncode == 1
    said = {
        line.split(":")[0].rsplit(" ", 1)[-1]: line.split(": ")[1]
        for line in run.stdout.splitlines()
        if "p-" in line
    }
    assert said["1"].startswith("moved") and said["2"] == "altered" and said["3"] == "gone"
    waiting = desk("queue").stdout
    assert "2 of 3 passages altered or gone" in waiting and "1 items wait." in waiting
    item = waiting.split()[2]
    assert desk("settle", item, "--by", "machine-1", "--why", "Cut again from the new text.").returncode == 0
    assert "0 items wait." in desk("queue").stdout
    told = len(entries(desk, tmp_path, "rechecks"))
    assert desk("recheck", "--pace", "0").returncode == 1
    assert len(entries(desk, tmp_path, "rechecks")) == told
    assert "0 items wait." in desk("queue").stdout  # the same outcome again is nothing new
    assert desk("release").returncode == 0
    assert desk("publish", "--out", tmp_path / "site").returncode == 0
    page = (tmp_path / "site/sources/src-law/index.html").read_text()
    assert "Source changed on or before" in page and "our capture of" in page
    bake = b"".join(file.read_bytes() for file in (tmp_path / "site").rglob("*") if file.is_file())
    assert b"A notice that stands above the law" not in bake  # the copies themselves stay private


def test_an_address_that_gives_nothing_any_more_is_told_and_our_capture_stands(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    assert desk("capture", "--pending").returncode == 0
    del gazette.pages["/law"]
    run = desk("recheck")
    assert run.returncode == 1 and "unreachable" in run.stdout
    assert [recheck["outcome"] for recheck in entries(desk, tmp_path, "rechecks")] == ["unreachable"]
    assert "gives nothing any more" in desk("queue").stdout
    gazette.pages["/robots.txt"] = (200, "User-agent: *\nDisallow: /\n")
    assert "says nothing of the document" in desk("recheck").stdout  # we did not ask: it may well be there
    del gazette.pages["/robots.txt"]
    gazette.pages["/law"] = (503, "later")
    assert "asked again first" in desk("recheck", "--pace", "0", "--timeout", "5").stdout
    assert len(entries(desk, tmp_path, "rechecks")) == 1


def test_a_newer_reader_anchors_old_passages_or_says_which_it_cannot(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    assert desk("capture", "--pending").returncode == 0
    capture = entries(desk, tmp_path, "captures")[0]
    old = "An older reader's heading\n\nArticle 3. The committee of parliament reports each year on the warrants, the agencies and the errors.\n"
    text = old.encode()
    name = hashlib.sha256(text).hexdigest()
    (tmp_path / "archive/texts" / f"{name}.txt").write_bytes(text)
    read = {**capture["read"], "reader": "html 0 (an older one)", "text_sha256": name}  # type: ignore[dict-item]
    spans = {"p-kept": (27, len(text) - 1), "p-lost": (0, 25)}
    rows = [{**capture, "read": read, "because": "Read by an older reader."}] + [
        {
            "kind": "passage",
            "id": thing,
            "capture": capture["id"],
            "reader": read["reader"],
            "start": start,
            "end": end,
            "quote_sha256": hashlib.sha256(text[start:end]).hexdigest(),
        }
        for thing, (start, end) in spans.items()
    ]
    sheet = tmp_path / "older.jsonl"
    sheet.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    added = desk("add", sheet)
    assert added.returncode == 0, added.stderr
    run = desk("reread")
    assert run.returncode == 1
    assert "1 passages anchored, 1 could not be" in run.stdout and "p-lost" in run.stderr
    now = {
        body["id"]: body
        for body in entries(desk, tmp_path, "passages")
        if str(body["reader"]).startswith("html 1")
    }
    assert list(now) == ["p-kept"]
    listed = desk("read", str(capture["id"])).stdout
    assert f" {now['p-kept']['start']}–{now['p-kept']['end']} " in listed
    assert "p-lost" in desk("queue").stdout


def test_a_saved_document_comes_in_the_same_way(desk: Run, tmp_path: Path, gazette: Gazette) -> None:
    saved = tmp_path / "law.html"
    saved.write_text(LAW)
    run = desk("import-file", saved, "--url", f"{gazette.address}/law", "--on", "2026-01-11T08:00:00Z")
    assert run.returncode == 0, run.stderr
    (capture,) = entries(desk, tmp_path, "captures")
    assert (capture["how"], capture["fetched"]) == ("imported", "2026-01-11T08:00:00Z")
    copy = tmp_path / "copy"
    assert desk("archive", "find", str(capture["sha256"]), "--out", copy).returncode == 0
    assert copy.read_text() == LAW
    assert gazette.asked == []


def test_a_saved_archive_is_believed_only_for_the_sources_that_a_person_lists(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    forged = tmp_path / "forged.html"
    forged.write_text(LAW.replace("ninety days", "nine hundred days"))
    other = {"MERCWATCH_ARCHIVE": str(tmp_path / "other"), "MERCWATCH_DB": str(tmp_path / "other.sqlite3")}
    assert desk("import-file", forged, "--url", f"{gazette.address}/law", **other).returncode == 0
    (warc,) = (tmp_path / "other/warc").glob("*.warc.gz")
    taken = desk("import-warc", warc)
    assert "1 kept, 0 refused" in taken.stdout, taken.stdout + taken.stderr
    assert "0 captures named in the record" in taken.stdout and "--source src-law" in taken.stdout
    assert desk("capture", "--pending").returncode == 0
    (capture,) = entries(desk, tmp_path, "captures")
    assert capture.get("how", "fetched") == "fetched"
    assert capture["sha256"] == hashlib.sha256(LAW.encode()).hexdigest()  # what the server gave, not the file
    assert desk("import-warc", warc, "--source", "src-none").returncode == 2


def test_an_address_that_the_record_cannot_write_down_does_not_stop_a_run(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    gazette.pages["/law"] = (302, "/it's")
    gazette.pages["/it's"] = (200, LAW)
    run = desk("capture", "--pending", "--pace", "0")
    assert run.returncode == 0, run.stdout + run.stderr
    (capture,) = entries(desk, tmp_path, "captures")
    assert "address" not in capture


def test_a_second_archive_and_a_time_stamp_stand_with_a_capture_where_they_are_configured(
    desk: Run, tmp_path: Path, gazette: Gazette
) -> None:
    authority = Authority(tmp_path / "tsa")

    def answer(path: str, query: bytes) -> Given:
        if path == "/tsr":
            return Given(headers={"Content-Type": REPLY}, body=authority.answer(query))
        now = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
        return Given(headers={"Content-Location": f"/web/{now}/{gazette.address}/law"}, body=b"kept")

    with answering(answer) as place:
        settings = {
            "MERCWATCH_SECOND_ARCHIVE": f"{place}/save/",
            "MERCWATCH_TSA": f"{place}/tsr",
            "MERCWATCH_TSA_ROOTS": str(authority.roots),
        }
        run = desk("capture", "--pending", "--pace", "0", **settings)
    assert (run.returncode, "no time stamp" in run.stderr) == (0, False), run.stderr
    (capture,) = entries(desk, tmp_path, "captures")
    assert str(capture["second_address"]).startswith(f"{place}/web/20")
    (token,) = (tmp_path / "archive/stamps").iterdir()
    assert authority.verifies(token, str(capture["sha256"]))
    assert desk("archive", "verify", **settings).returncode == 0
    token.unlink()
    lost = desk("archive", "verify")
    assert lost.returncode == 1 and "the token is missing" in lost.stderr


def test_one_damaged_capture_is_named_and_stops_no_other(desk: Run, tmp_path: Path, gazette: Gazette) -> None:
    gazette.pages["/other"] = (200, LAW.replace("judge", "court"))
    sheet = tmp_path / "other.yaml"
    row = SMALL[SMALL.index("- kind: source") : SMALL.index("- kind: actor")]
    sheet.write_text(
        row.replace("src-law", "src-other").replace("https://gazette.example/law", f"{gazette.address}/other")
    )
    assert desk("add", sheet).returncode == 0
    assert desk("capture", "--pending", "--pace", "0").returncode == 0
    with Archive.open(tmp_path / "archive") as archive:
        first = archive.all()[0]
    with (tmp_path / "archive/warc" / first.file).open("r+b") as stream:
        stream.seek(first.offset + first.length // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 255]))
    for path in ("/law", "/other"):
        status, text = gazette.pages[path]
        gazette.pages[path] = (status, text.replace("ninety", "ten"))
    run = desk("recheck", "--pace", "0")
    assert run.returncode == 1
    assert "capture 1 of" in run.stderr and "[2/2]" in run.stdout
    assert [recheck["outcome"] for recheck in entries(desk, tmp_path, "rechecks")] == ["changed"]
    assert "capture 1 of" in desk("archive", "verify").stderr
