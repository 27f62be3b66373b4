"""The queue as a page: what was proposed and why, the passage as it stands, and nothing of it ever runs."""

from __future__ import annotations

import hashlib
import re
import shlex
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from mercwatch.capture.passages import selector
from mercwatch.mining.candidates import Row
from mercwatch.publishing.queue_page import MAX_TEXT, queue_page

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \x07\x1b[2J \u202e {{ style }} '\"&"
LAW = "# Law\n\n## Art. 5 Remote searches\n\nThe agency may enter a device if a judge allows it.\n"


def candidate(book: Path, text: str = LAW, file: str = "xx/law.md", **more: Any) -> Row:
    """A candidate that is all of a file, which is written into the book."""
    data = text.encode()
    (book / file).parent.mkdir(parents=True, exist_ok=True)
    (book / file).write_bytes(data)
    fields = {
        "file": file,
        "law": "12",
        "title": "Law on remote searches",
        "article": "Art. 5",
        "recommendation": "R1",
        "score": 0.734,
        "start": 0,
        "end": len(data),
        "sha256": selector(data, 0, len(data)).quote,
        "language": "en",
        "in_force": True,
        "in_force_reason": "its front matter says so",
        "reasons": ("names an agency", "names a judge"),
    }
    fields |= more
    place = {name: fields[name] for name in ("file", "law", "article", "start", "end", "sha256")}
    return Row.model_validate({"places": [place], **fields})


def test_a_candidate_is_shown_with_score_state_reasons_and_passage(tmp_path: Path) -> None:
    row = candidate(tmp_path)
    html = queue_page([row], {}, tmp_path)
    for words in (row.name, "73 %", "<strong>waits</strong>", "Law on remote searches", "Art. 5"):
        assert words in html.replace("&nbsp;", " ")
    assert "in force: <bdi>its front matter says so</bdi>" in html
    assert "<li><bdi>names an agency</bdi></li>" in html
    assert "The agency may enter a device if a judge allows it." in html
    assert "0 judged" in html
    assert "<strong>rejected (draft)</strong>" in queue_page([row], {row.name: "rejected (draft)"}, tmp_path)


def test_candidates_stand_under_their_recommendations_title(tmp_path: Path) -> None:
    rows = [candidate(tmp_path, recommendation="R7"), candidate(tmp_path)]
    html = queue_page(rows, {}, tmp_path)
    assert re.findall(r'<h2 id="(R\d)">R\d \w+', html) == ["R1", "R7"]
    assert html.index(rows[1].name) < html.index('id="R7"') < html.index(rows[0].name)


def test_the_page_gives_the_exact_command_whatever_the_files_are_called(tmp_path: Path) -> None:
    book = tmp_path / "a book; rm -rf ~"
    row = candidate(book)
    html = queue_page([row], {}, book, "found $(here).jsonl")
    commands = [shlex.split(unescape(c)) for c in re.findall(r"<pre>(mercwatch judge .*?)</pre>", html)]
    assert commands[0][:5] == ["mercwatch", "judge", "found $(here).jsonl", "--accept", row.name]
    assert commands[0][5:7] == ["--book", str(book)]
    assert commands[1][:5] == ["mercwatch", "judge", "found $(here).jsonl", "--reject", row.name]


def test_what_a_law_says_is_shown_and_never_run(tmp_path: Path) -> None:
    row = candidate(
        tmp_path,
        text=HOSTILE,
        law=HOSTILE,
        title=HOSTILE,
        article=HOSTILE,
        language=HOSTILE,
        in_force=None,
        in_force_reason=HOSTILE,
        reasons=(HOSTILE,),
    )
    html = queue_page([row], {row.name: HOSTILE}, tmp_path, HOSTILE)
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 8
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)


def test_the_page_loads_nothing_and_allows_only_its_own_style(tmp_path: Path) -> None:
    html = queue_page([candidate(tmp_path)], {}, tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert policy
    assert style
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"(src|href|style)=", html)
    assert "url(" not in style[1]
    assert "width=device-width" in html


def test_a_file_that_has_changed_is_not_shown_as_what_was_mined(tmp_path: Path) -> None:
    row = candidate(tmp_path)
    (tmp_path / row.file).write_text(LAW.replace("judge", "clerk"))
    html = queue_page([row], {}, tmp_path)
    assert "The file has changed since it was mined" in html
    assert "clerk" not in html
    (tmp_path / row.file).write_text("short")
    assert "The file has changed since it was mined" in queue_page([row], {}, tmp_path)
    (tmp_path / row.file).unlink()
    assert "The file cannot be read: No such file or directory." in queue_page([row], {}, tmp_path)


@pytest.mark.parametrize(
    "file", ["../secret.md", "xx/../../secret.md", "/etc/hostname", "xx/link.md", "a\0b"]
)
def test_no_file_outside_the_law_book_is_opened(file: str, tmp_path: Path) -> None:
    book = tmp_path / "book"
    (book / "xx").mkdir(parents=True)
    (tmp_path / "secret.md").write_text("the secret")
    (book / "xx" / "link.md").symlink_to(tmp_path / "secret.md")
    row = candidate(book).model_copy(
        update={"file": file, "end": 10, "sha256": hashlib.sha256(b"the secret").hexdigest()}
    )
    html = queue_page([row], {}, book)
    assert "leads out of the law book" in html
    assert "the secret" not in html


def test_a_long_passage_is_cut_and_says_so(tmp_path: Path) -> None:
    html = queue_page([candidate(tmp_path, text="§ " + "long " * 5_000)], {}, tmp_path)
    assert "The first 6,000 of 25,002 characters." in html
    shown = re.search(r'<pre dir="auto">(.*?)</pre>', html, re.S)
    assert shown
    assert len(shown[1]) == MAX_TEXT


def test_without_a_law_book_the_page_says_that_it_shows_no_passage(tmp_path: Path) -> None:
    assert "No law book was given" in queue_page([candidate(tmp_path)], {}, None)
