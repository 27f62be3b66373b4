"""The miner's commands: mine a law book, look at what it found, judge it, find passages again."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mercwatch.capture.basics import one_line
from mercwatch.capture.passages import Fate, find, selector, selector_of
from mercwatch.capture.waiting import Waiting, WaitingError
from mercwatch.framework.load import load as load_codebook
from mercwatch.mining import candidates as files
from mercwatch.mining.candidates import CandidatesError, Row
from mercwatch.mining.lexicon import LexiconError, concepts, languages
from mercwatch.mining.lexicon import load as load_lexicon
from mercwatch.mining.proofs import broken
from mercwatch.publishing.queue_page import inside, queue_page
from mercwatch.record.adding import Recorder, new_entries
from mercwatch.record.entries import Json
from mercwatch.record.kinds import Capture, Coder, Passage, Verdict
from mercwatch.record.ledger import Ledger
from mercwatch.record.problems import Problem, Refused
from mercwatch.record.sheets import Row as SheetRow
from mercwatch.record.sheets import parse_row
from mercwatch.record.writing import write_whole
from mercwatch.site.capturing import archive_folder, passage_row
from mercwatch.site.database import open_store
from mercwatch.site.ends import fail

if TYPE_CHECKING:  # the engine takes half a second to load; only `mine` needs it
    from mercwatch.mining.mine import Summary

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_SHOWN = 20


class _Told:
    """Progress on standard error: at most twice a second, and in full at the end."""

    def __init__(self) -> None:
        self.last = 0.0
        self.began = time.monotonic()

    def __call__(self, done: int, total: int, size: int) -> None:
        now = time.monotonic()
        if now - self.last < 0.5 and done != total:
            return
        self.last = now
        of = f" of {total:,} ({100 * done // total} %)" if total else ""
        click.echo(
            f"\r{done:,}{of} laws, {size / 1e6:,.0f} MB, {now - self.began:.0f} s ", nl=False, err=True
        )


def _tell(summary: Summary, out: Path) -> None:
    click.echo("", err=True)
    for problem in summary.problems[:_SHOWN]:
        click.echo(problem, err=True)
    if len(summary.problems) > _SHOWN:
        rest = len(summary.problems) - _SHOWN
        click.echo(f"… and {rest:,} more, all in {out.stem}.summary.json", err=True)
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(summary.counts.items()))
    if summary.resumed:
        click.echo(f"Taken up where an earlier run stopped: {summary.resumed:,} laws were done.")
    click.echo(
        f"{summary.files:,} laws ({counts}), {summary.provisions:,} provisions, "
        f"{summary.size / 1e6:,.1f} MB, languages {', '.join(summary.languages) or 'by law'}."
    )
    click.echo(f"{summary.candidates:,} candidates written to {out}.")


@click.command()
@click.argument("book", metavar="FOLDER")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Result: a .jsonl or .parquet file."
)
@click.option("--language", default="auto", show_default=True, help="Codes with commas, or auto.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--ray-address", help="An existing Ray cluster; without it one is started here.")
@click.option("--top", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="For each R.")
def mine(*, book: str, out: Path, language: str, engine: str, ray_address: str | None, top: int) -> None:
    """Read the law book in FOLDER and rank its provisions for R1 to R7.

    FOLDER is a folder of laws (Markdown with YAML front matter, plain text, HTML), a tar archive of one, a
    Parquet table (columns file and text), or an object-store address (s3://, gs://, az://). A run that was
    stopped goes on where it was when started again. Files that cannot be read are named and counted.

    Exit codes: 0 done, 2 nothing could be mined or written (nothing is left behind).
    """
    from mercwatch.mining.mine import MineError, Options
    from mercwatch.mining.mine import mine as mine_book

    options = Options(book, out, language, "ray" if engine == "ray" else "local", ray_address, top)
    try:
        _tell(mine_book(options, _Told()), out)
    except (MineError, LexiconError) as error:
        click.echo("", err=True)
        fail(str(error))


@click.command()
@click.argument("codes", nargs=-1)
def lexicon(codes: tuple[str, ...]) -> None:
    """Check the lexicons of CODES (all if none): their format, and the sentences that they must read rightly.

    Exit codes: 0 all hold, 1 a sentence does not, 2 a file breaks the format.
    """
    failed = False
    for code in codes or languages():
        try:
            loaded = load_lexicon(code)
        except LexiconError as error:
            fail(str(error))
        problems = broken(loaded)
        for problem in problems:
            click.echo(problem, err=True)
        failed = failed or bool(problems)
        terms = sum(len(found) for found in loaded.terms.values())
        click.echo(
            f"{code} {loaded.name}: {terms:,} terms for {len(concepts())} concepts, "
            f"{len(loaded.tests)} sentences, written by {loaded.written_by}, reviewed by {loaded.reviewed_by}"
        )
    sys.exit(1 if failed else 0)


def _candidates(path: Path) -> list[Row]:
    try:
        return files.read(path)
    except CandidatesError as error:
        fail(str(error))


def _judged() -> dict[str, str]:
    """What the record says of each candidate; a machine's judgement is called a draft."""
    live = [versions[-1] for versions in _ledger().live.values()]
    persons = {e.id for e in live if isinstance(e.body, Coder) and e.body.type == "person"}
    return {
        entry.body.candidate: entry.body.decision
        + ("" if entry.envelope.recorded_by in persons else " (draft)")
        for entry in live
        if isinstance(entry.body, Verdict)
    }


def _ledger() -> Ledger:
    ledger: Ledger = open_store().read()
    return ledger


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "--recommendation", "-r", type=click.Choice([f"R{n}" for n in range(1, 8)]), help="Only this one."
)
@click.option("--top", type=click.IntRange(1, 10_000), default=25, show_default=True, help="For each R.")
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page instead of a list."
)
@click.option("--book", type=FOLDER, help="The law book, so that the page can show the passages.")
@click.option("--archive", type=click.Path(path_type=Path), help="The archive, whose queue is listed.")
def queue(
    *,
    file: Path | None,
    recommendation: str | None,
    top: int,
    page: Path | None,
    book: Path | None,
    archive: Path | None,
) -> None:
    """Put the candidates of FILE before a person: a list here, or a page with the passages.

    Without FILE: all that waits for a person, drifted passages, changed places, new documents and files of
    candidates. Close an item with `mercwatch settle`; judge candidates with
    `mercwatch judge FILE --accept NAME …` or `--reject NAME …`.
    """
    if file is None:
        _list_waiting(archive_folder(archive))
        return
    rows, judged = _candidates(file), _judged()
    chosen: list[Row] = []
    for name in [recommendation] if recommendation else [f"R{n}" for n in range(1, 8)]:
        chosen += [row for row in rows if row.recommendation == name][:top]
    if page is not None:
        text = queue_page(chosen, judged, book, str(file))
        try:
            write_whole(page, text.encode())
        except OSError as error:
            fail(f"{page}: cannot be written: {error.strerror}")
        click.echo(f"{len(chosen)} candidates written to {page}.")
        return
    for row in chosen:
        state = judged.get(row.name, "waits")
        law = one_line(f"{row.law} {row.article}: {row.title[:80]}")
        click.echo(f"{row.name}  {row.score:4.0%}  {state:16}  {law}")
        click.echo(f"    {one_line('; '.join(row.reasons[:3]))[:160]}")
    click.echo(f"{len(chosen)} candidates, {sum(row.name in judged for row in chosen)} judged.")


def _list_waiting(folder: Path) -> None:
    """The open items of the review queue, oldest first."""
    try:
        items = Waiting(folder).open_items()
    except WaitingError as error:
        fail(str(error))
    for item in items:
        click.echo(f"{item.made}  {item.kind:12}  {item.id}  {one_line(item.what, 2_000)}")
        click.echo(f"    {one_line(item.about)}  {one_line(item.address, 2_000)}")
        if item.file:
            path, texts = shlex.quote(str(folder / item.file)), shlex.quote(str(folder / "texts"))
            click.echo(f"    mercwatch queue {path} --book {texts} --page queue.html")
    click.echo(f"{len(items)} items wait.")


@dataclass(frozen=True)
class _Judging:
    """One call of `judge`: by what its entries are made from candidates."""

    file: Path
    actor: str
    why: str
    book: Path | None
    source: str | None
    capture: Capture | None
    bears_on: tuple[str, ...]
    because: str | None
    live: frozenset[str]

    def rows(self, line: int, row: Row, decision: str) -> list[SheetRow]:
        """A verdict, and before it the passage where the candidate is accepted; Refused if it cannot be."""
        passage = self._passage(line, row) if decision == "accepted" else None
        verdict: Json = {
            "kind": "verdict",
            "id": f"v-{self.actor.lower()}-{row.name}",
            "candidate": row.name,
            "actor": self.actor,
            "recommendation": row.recommendation,
            "decision": decision,
            "law": (row.law or row.title or row.file)[:300],
            "article": row.article or None,
            "sha256": row.sha256,
            "passage": passage["id"] if passage else None,
            "bears_on": list(self.bears_on) if passage else [],
            "why": self.why,
        }
        because = self.because if verdict["id"] in self.live else None
        made = [parse_row(self.file, line, passage, None)] if passage else []
        return [*made, parse_row(self.file, line, verdict, because)]

    def _passage(self, line: int, row: Row) -> Json:
        if self.book is None or (self.source is None) == (self.capture is None):
            raise self._refused(
                line,
                row,
                "--accept needs --book (the law book, or the archive's texts) and either --source or "
                "--capture (whose text it is)",
            )
        path = inside(self.book, row.file)
        if path is None:
            raise self._refused(line, row, f"{row.file!r} leads out of the law book's folder")
        try:
            data = path.read_bytes()
            taken = selector(data, row.start, row.end, row.article)
        except OSError as error:
            raise self._refused(line, row, f"{row.file!r} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise self._refused(line, row, f"{row.file!r}: {error}") from None
        if taken.quote != row.sha256:
            raise self._refused(line, row, f"{row.file!r} has changed since it was mined: its hash differs")
        whose = self._of_capture(line, row, data) or {"source": self.source, "file": row.file}
        return passage_row(whose, taken)

    def _of_capture(self, line: int, row: Row, data: bytes) -> Json | None:
        """What makes a passage one of a capture's text; Refused where the file is not that text."""
        if self.capture is None:
            return None
        read = self.capture.read
        if read is None or hashlib.sha256(data).hexdigest() != read.text_sha256:
            raise self._refused(line, row, f"{row.file!r} is not the text of {self.capture.id}")
        return {"capture": self.capture.id, "reader": read.reader}

    def _refused(self, line: int, row: Row, rule: str) -> Refused:
        return Refused([Problem(self.file.name, line, f"{row.name}: {rule}")])


def _named(rows: Iterable[Row], accepted: tuple[str, ...], rejected: tuple[str, ...], file: Path) -> None:
    """Ends the command unless each candidate that is named is in the file, and is judged one way."""
    known = {row.name for row in rows}
    if not (accepted or rejected):
        fail(f"{file}: nothing to judge: give --accept NAME or --reject NAME")
    if unknown := [name for name in (*accepted, *rejected) if name not in known]:
        fail(f"{file}: no candidate is named {', '.join(unknown)}")
    if both := sorted(set(accepted) & set(rejected)):
        fail(f"{file}: both accepted and rejected: {', '.join(both)}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--accept", "accepted", multiple=True, help="A candidate's name; it becomes a passage.")
@click.option("--reject", "rejected", multiple=True, help="A candidate's name.")
@click.option("--actor", required=True, help="The government whose law it is.")
@click.option("--by", "coder", required=True, help="Who judges: a coder's id. A machine's judgement says so.")
@click.option("--why", required=True, help="The reason, in own words.")
@click.option("--book", type=FOLDER, help="The law book that was mined.")
@click.option("--source", help="Id of the source whose text the accepted passages are.")
@click.option("--capture", help="Id of the capture whose text they are (with --book ARCHIVE/texts).")
@click.option("--bears-on", multiple=True, help="Id of an action that the accepted passages speak of.")
@click.option("--because", help="Why this supersedes an earlier verdict on the same candidate.")
def judge(
    *,
    file: Path,
    accepted: tuple[str, ...],
    rejected: tuple[str, ...],
    actor: str,
    coder: str,
    why: str,
    book: Path | None,
    source: str | None,
    capture: str | None,
    bears_on: tuple[str, ...],
    because: str | None,
) -> None:
    """Accept or reject candidates of FILE. Only these two are entries of the record; candidates are not.

    Exit codes: 0 done, 2 a name, a file or an entry is wrong (nothing was added).
    """
    candidates = _candidates(file)
    _named(candidates, accepted, rejected, file)
    store, ledger = open_store(), _ledger()
    of = ledger.live[capture][-1].body if capture and capture in ledger.live else None
    if capture and not isinstance(of, Capture):
        fail(f"{one_line(capture)}: the record has no such capture")
    taken = of if isinstance(of, Capture) else None
    judging = _Judging(file, actor, why, book, source, taken, bears_on, because, frozenset(ledger.live))
    sheet: dict[str, SheetRow] = {}
    problems: list[Problem] = []
    for line, row in enumerate(candidates, start=1):
        if row.name in accepted or row.name in rejected:
            try:
                made = judging.rows(line, row, "accepted" if row.name in accepted else "rejected")
                sheet |= {one.body.id: one for one in made}  # two candidates may share a passage
            except Refused as refused:
                problems += refused.problems
    try:
        if problems:
            raise Refused(problems)
        when = datetime.now(UTC).date().isoformat()
        entries = new_entries(list(sheet.values()), ledger, load_codebook(), Recorder(coder, when))
    except Refused as refused:
        fail(f"{refused}\n{len(refused.problems)} problem(s); nothing was added.")
    verdicts = [one.body for one in sheet.values() if isinstance(one.body, Verdict)]
    yes = sum(verdict.decision == "accepted" for verdict in verdicts)
    click.echo(f"{store.append(entries)} entries added: {yes} accepted, {len(verdicts) - yes} rejected.")


@click.command()
@click.argument("book", metavar="FOLDER", type=FOLDER)
@click.option("--actor", help="Only passages of this government's law: its two-letter code.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a passage.")
def passages(book: Path, actor: str | None, as_json: bool) -> None:
    """Find the record's passages again in the law book in FOLDER: unchanged, moved, altered or gone.

    Exit codes: 0 all unchanged or moved, 1 some are altered or gone, 2 a file cannot be read.
    """
    worst = False
    counts = dict.fromkeys(Fate, 0)
    bodies = [versions[-1].body for versions in _ledger().live.values()]
    theirs = {body.passage for body in bodies if isinstance(body, Verdict) and body.actor == actor}
    for body in bodies:
        if not isinstance(body, Passage) or body.file is None or (actor and body.id not in theirs):
            continue
        wanted = selector_of(body)
        path = inside(book, body.file)
        try:
            data = path.read_bytes() if path and path.is_file() else None
        except OSError as error:
            fail(f"{body.file}: cannot be read: {error.strerror}")
        fate, at = (Fate.GONE, None) if data is None else find(data, wanted, body.file)
        counts[fate] += 1
        worst = worst or fate in (Fate.ALTERED, Fate.GONE)
        told = {"passage": body.id, "file": body.file, "fate": fate.value, "start": at}
        line = f"{body.id}  {fate.value:9}  {body.file} {body.article or ''}".rstrip()
        click.echo(json.dumps(told) if as_json else line)
    if not as_json:
        click.echo(", ".join(f"{count} {fate.value}" for fate, count in counts.items()) + ".")
    sys.exit(1 if worst else 0)


COMMANDS = (mine, lexicon, queue, judge, passages)
