"""Official places at the command line: watched, mined, and put before a person."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from capture.gazette import Gazette, feed, gazette, page
from conftest import SMALL
from mercwatch.capture.passages import selector
from mercwatch.capture.waiting import Waiting
from mercwatch.site.watch_cli import list_places, watch

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SENTENCES = (
    "Law on remote searches of devices",
    "Art. 1 Purpose. This law governs how the intelligence agency enters computer systems remotely.",
    "Art. 2 Remote searches. The agency may install software on a device only if a judge authorises it.",
    "Art. 3 Export. The export of intrusion software needs a licence, refused where human rights are at risk.",
    "Art. 4 Report. The agency reports each year to the parliament on the number of remote searches.",
)
LAW = page("".join(f"<p>{sentence}</p>" for sentence in SENTENCES[1:])).replace("Gazette", SENTENCES[0])
SWAHILI = f"<html><body>{'<p>Waziri alitangaza kwamba ofisi zitafungwa siku hiyo kesho yake.</p>' * 9}</body></html>"
PARKING = page(
    "<p>The ministry moved its parking places and the visitors may use the new ones today.</p>" * 4
)


def pdf(*lines: str) -> bytes:
    """A one-page PDF with these lines of text."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    stream = f"BT /F1 9 Tf 12 TL 20 700 Td {shown} ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    )
    body, starts = "%PDF-1.4\n", []
    for number, found in enumerate(objects, 1):
        starts.append(len(body))
        body += f"{number} 0 obj\n{found}\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    tail = f"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 5\n0000000000 65535 f \n{table}{tail}".encode()


@pytest.fixture
def site() -> Iterator[Gazette]:
    """A gazette on loopback."""
    with gazette() as made:
        yield made


def listed(tmp_path: Path, **addresses: str) -> Path:
    """A watch list of feeds by id; `_` stands for a hyphen."""
    path = tmp_path / "list.yaml"
    path.write_text(
        "".join(
            f"- {{id: {name.replace('_', '-')}, actor: {name[:2].upper()}, name: A gazette, kind: gazette, "
            f"language: en, address: '{address}', form: feed, watched_for: [R1], why: New laws.}}\n"
            for name, address in addresses.items()
        )
    )
    return path


def asked(command: click.Command, *arguments: str | Path) -> Result:
    """A command asked in this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_new_laws_of_a_feed_reach_the_review_queue(mercwatch: Run, site: Gazette, tmp_path: Path) -> None:
    titles = {"/law": "A law", "/law.pdf": "A law as PDF", "/swahili": "Swahili", "/parking": "Parking"}
    site.put("/law", LAW)
    site.put("/law.pdf", pdf(*SENTENCES))
    site.put("/swahili", SWAHILI)
    site.put("/parking", PARKING)
    broken = site.put("/broken", "<html><body>No feed here</body></html>")
    places = listed(
        tmp_path, fr_gazette=site.put("/feed", feed(site.home, *titles.items())), de_gazette=broken
    )
    archive = tmp_path / "archive"
    known = ("--list", places, "--archive", archive)
    settings = {"MERCWATCH_CAPTURE_LOOPBACK": "yes", "MERCWATCH_CONTACT": "watch@mercwatch.example"}

    result = mercwatch("watch", *known, "--pace", "0", "--from-start", **settings)
    assert result.returncode == 0, result.stderr
    assert "de-gazette: failed: this is neither a feed (RSS, Atom) nor a sitemap" in result.stdout
    assert (
        "4 new; 4 of 4 documents taken; 2 with candidates; 1 of another subject; 1 in a language without a lexicon"
        in result.stdout
    )
    assert "2 places: 1 answered, 1 failed; 4 new documents, 2 with candidates" in result.stdout

    waiting = Waiting(archive).open_items()
    assert {(item.kind, item.address) for item in waiting} == {
        ("candidates", f"{site.home}/law"),
        ("candidates", f"{site.home}/law.pdf"),
    }
    (file,) = {archive / item.file for item in waiting}
    queue = mercwatch("queue", file, "-r", "R1")
    assert queue.returncode == 0, queue.stderr
    assert f"{site.home}/law" in queue.stdout

    for line in file.read_text().splitlines():
        row = json.loads(line)
        taken = selector((archive / "texts" / row["file"]).read_bytes(), row["start"], row["end"])
        assert taken.quote == row["sha256"]  # so that `mercwatch judge --book archive/texts` accepts it

    log = [json.loads(line) for line in (archive / "watch" / "documents.jsonl").read_text().splitlines()]
    assert {told["address"]: told["outcome"] for told in log if told["outcome"] != "with candidates"} == {
        f"{site.home}/swahili": "in a language without a lexicon",
        f"{site.home}/parking": "of another subject",
    }

    assert asked(list_places, "--answered", *known).stdout.startswith("fr-gazette  20")
    never = asked(list_places, "--check", *known)
    assert never.exit_code == 1
    assert [line.split()[0] for line in never.stdout.splitlines()] == ["de-gazette"]

    record = tmp_path / "record.yaml"
    record.write_text(SMALL.replace("https://gazette.example/law", f"{site.home}/law"))
    assert mercwatch("add", record).returncode == 0
    named = mercwatch("capture", "--pending", "--archive", archive, **settings)
    assert "1 captures of an earlier run named in the record" in named.stdout, named.stderr
    assert mercwatch("dump", tmp_path / "dump").returncode == 0
    (capture,) = (json.loads(line)["entry"]["body"] for line in (tmp_path / "dump/captures.jsonl").open())
    of_law = next(
        json.loads(line)
        for line in file.read_text().splitlines()
        if json.loads(line)["file"] == f"{capture['read']['text_sha256']}.txt"
    )
    name = f"{of_law['recommendation'].lower()}-{of_law['sha256'][:12]}"
    judged = mercwatch(
        *("judge", file, "--accept", name, "--book", archive / "texts", "--capture", capture["id"]),
        *("--actor", "FR", "--by", "machine-1", "--why", "It governs remote searches."),
    )
    assert judged.returncode == 0, judged.stderr
    assert "2 entries added: 1 accepted" in judged.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fr-nothing"], 2, "the watch list has no place fr-nothing; `mercwatch places` lists them"),
        (["--actor", "DE"], 2, "no place of the watch list is meant by these options"),
        (["--list", "broken.yaml"], 2, "broken.yaml:1: place 1: Input should be an object"),
        (["fr-gazette"], 1, "fr-gazette: failed: the host is not public"),
    ],
)
def test_what_cannot_be_watched_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, message: str
) -> None:
    monkeypatch.setenv("MERCWATCH_CONTACT", "watch@mercwatch.example")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yaml").write_text("- nonsense\n")
    mine = listed(tmp_path, fr_gazette="http://127.0.0.1:8080/feed")
    result = asked(watch, "--list", mine, "--archive", "archive", *arguments)
    assert message in result.output
    assert (result.exit_code, "Traceback" in result.output) == (code, False)


def test_the_places_that_ship_are_listed_by_kind() -> None:
    result = asked(list_places, "--kind", "instrument")
    assert result.exit_code == 0
    assert "int-pall-mall-code-of-practice" in result.stdout
    assert {line.split()[1] for line in result.stdout.splitlines()} == {"instrument"}
