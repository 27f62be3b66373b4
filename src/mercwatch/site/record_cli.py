"""The record's commands: add, code, release, dump, load, verify, lint; and the codebook's."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from mercwatch.coding.dossier import Reading
from mercwatch.coding.dossier import dossier as write_dossier
from mercwatch.coding.sheet import read_coding_sheet
from mercwatch.framework.codebook import Codebook
from mercwatch.framework.diff import MeaningError, describe, diff
from mercwatch.framework.load import CodebookError, digest, load_file
from mercwatch.framework.load import load as load_codebook
from mercwatch.record import dump as dumping
from mercwatch.record.adding import Recorder, new_entries
from mercwatch.record.ledger import LedgerError
from mercwatch.record.lint.copying import copied
from mercwatch.record.lint.rules import RULES, Wording
from mercwatch.record.lint.rules import lint as lint_record
from mercwatch.record.lint.stated import collect
from mercwatch.record.loading import merged
from mercwatch.record.problems import Refused
from mercwatch.record.releasing import next_release
from mercwatch.record.sheets import read_sheet
from mercwatch.record.verify import verify as verify_dump
from mercwatch.site.database import open_store
from mercwatch.site.ends import fails_clearly

DAY = click.DateTime(["%Y-%m-%d"])
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True)
_CLEARLY = fails_clearly(CodebookError, MeaningError)


def today() -> str:
    """The day of recording, UTC."""
    return datetime.now(UTC).date().isoformat()


@click.command()
@click.argument("sheets", nargs=-1, required=True, type=FILE)
@click.option("--by", "coder", default="machine-1", show_default=True, help="Who records: a coder's id.")
@click.option("--on", "day", type=DAY, help="Day of recording (default: today, UTC).")
@_CLEARLY
def add(sheets: tuple[Path, ...], coder: str, day: datetime | None) -> None:
    """Add what SHEETS say (YAML, CSV or JSON lines), all or nothing."""
    store = open_store()
    rows, problems = [], []
    for sheet in sheets:
        try:
            rows += read_sheet(sheet)
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    when = day.date().isoformat() if day else today()
    entries = new_entries(rows, store.read(), load_codebook(), Recorder(coder, when))
    click.echo(f"{store.append(entries)} entries added from {len(rows)} rows.")


@click.command()
@click.argument("actors", nargs=-1, required=True)
@click.option("--out", required=True, type=FOLDER, help="Folder for the dossiers, one file an actor.")
@click.option(
    "--reading",
    type=click.Choice([reading.value for reading in Reading]),
    default=Reading.TESTS_FIRST.value,
    show_default=True,
    help="Order of the material; give two blind coders different ones.",
)
@_CLEARLY
def dossier(actors: tuple[str, ...], out: Path, reading: Reading) -> None:
    """Write what a blind coder needs on ACTORS: tests and evidence, and nobody's codings."""
    ledger, codebook = open_store().read(), load_codebook()
    try:
        texts = {actor: write_dossier(ledger, codebook, actor, Reading(reading)) for actor in actors}
    except KeyError as error:
        raise LedgerError(f"there is no government or organisation {error.args[0]}") from error
    out.mkdir(parents=True, exist_ok=True)
    for actor, text in texts.items():
        (out / f"{actor}.md").write_text(text, encoding="utf-8")
    click.echo(f"{len(texts)} dossiers written to {out}.")


@click.command()
@click.argument("sheets", nargs=-1, required=True, type=FILE)
@click.option("--by", "coder", required=True, help="Whose judgement it is: a coder's id.")
@click.option("--on", "day", type=DAY, help="Day of recording (default: today, UTC).")
@_CLEARLY
def code(sheets: tuple[Path, ...], coder: str, day: datetime | None) -> None:
    """Add the codings that coding SHEETS hold, all or nothing."""
    store, codebook = open_store(), load_codebook()
    ledger = store.read()
    rows, problems = [], []
    for sheet in sheets:
        try:
            rows += read_coding_sheet(sheet, coder, ledger, codebook)
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    when = day.date().isoformat() if day else today()
    entries = new_entries(rows, ledger, codebook, Recorder(coder, when))
    click.echo(f"{store.append(entries)} codings added from {len(sheets)} coding sheets.")


@click.command()
@click.option("--on", "day", type=DAY, help="Day of the release (default: today, UTC).")
@click.option("--note", help="What the release is about, in one line.")
@_CLEARLY
def release(day: datetime | None, note: str | None) -> None:
    """Bind all pending entries into a release and print its head."""
    store = open_store()
    codebook = load_codebook()
    when = day.date().isoformat() if day else today()
    made = next_release(store.read(), codebook, digest(codebook.version), when, note)
    store.append((), [made])
    click.echo(f"Release {made.body.number} of {when}: {len(made.body.entries)} entries.")
    click.echo(f"head {made.head}")


@click.command()
@click.argument("path", type=FOLDER)
@_CLEARLY
def dump(path: Path) -> None:
    """Write the whole record to PATH as plain files, the same bytes for the same record."""
    store = open_store()
    ledger = store.read()
    dumping.write(ledger, path)
    click.echo(f"{len(ledger.entries)} entries and {len(ledger.releases)} releases written to {path}.")


@click.command()
@click.argument("path", type=FOLDER)
@_CLEARLY
def load(path: Path) -> None:
    """Take in the record at PATH: the union with what is there, checked whole before."""
    store = open_store()
    union = merged(path, store.read(), load_codebook())
    new = store.append(union.entries.values(), union.releases, union.withheld.values())
    click.echo(f"{new} entries were new, {len(union.entries)} are there.")
    for conflict in union.conflicts():
        click.echo(f"conflict, blocks the next release: {conflict}", err=True)


@click.command()
@click.argument("path", type=FOLDER)
@click.option("--head", help="A release's head that you know from elsewhere.")
@click.option("--allow-pending", is_flag=True, help="Tolerate entries that no release holds yet.")
def verify(path: Path, head: str | None, allow_pending: bool) -> None:
    """Check the dump at PATH offline. Exit code 1 when something is wrong."""
    verdict = verify_dump(path, head, allow_pending)
    for problem in verdict.problems:
        click.echo(str(problem), err=True)
    click.echo(
        f"{verdict.entries} entries, {verdict.withheld} withheld, {verdict.pending} pending, "
        f"{len(verdict.releases)} release(s)."
    )
    if verdict.releases:
        click.echo(f"head {verdict.releases[-1].head}")
    click.echo(verdict.meaning)
    sys.exit(0 if verdict.ok else 1)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--texts", type=FOLDER, help="Private texts of sources (*.txt) to compare our words with.")
@_CLEARLY
def lint(paths: tuple[Path, ...], texts: Path | None) -> None:
    """Hold dumps and sheets at PATHS to the record's rules of care. Exit code 1 when one is broken."""
    collection = collect(paths)
    problems = sorted([*lint_record(collection, Wording.shipped()), *copied(collection, texts)])
    for problem in problems:
        click.echo(str(problem), err=True)
    if texts is None:
        click.echo(
            "Own words were compared with titles and quotations only; --texts names a folder of texts."
        )
    click.echo(f"{len(collection.stated)} things, {len(RULES) + 1} rules, {len(problems)} problem(s).")
    sys.exit(1 if problems else 0)


@click.group()
def codebook() -> None:
    """The codebook and its versions."""


@codebook.command("diff")
@click.argument("old")
@click.argument("new")
@_CLEARLY
def codebook_diff(old: str, new: str) -> None:
    """Say what changed for whom between OLD and NEW (versions or files)."""
    click.echo(describe(diff(_codebook(old), _codebook(new))))


def _codebook(name: str) -> Codebook:
    return load_file(Path(name)) if Path(name).is_file() else load_codebook(name)


COMMANDS = (add, dossier, code, release, dump, load, verify, lint, codebook)
