"""The commands that take in what a person saved by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.importing import handed_file, import_warc
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import Taken, reread, take_file
from mercwatch.site.capturing import Named, Witness
from mercwatch.site.database import open_store
from mercwatch.site.desk import ARCHIVE, BY, CLEARLY, FILE, desk
from mercwatch.site.ends import fail


@click.command("import-warc")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--source", "wanted", multiple=True, help="Name the captures of this source; more than once.")
@ARCHIVE
@BY
@CLEARLY
def import_warcs(files: tuple[Path, ...], wanted: tuple[str, ...], folder: Path | None, coder: str) -> None:
    """Take in WARC or WACZ FILES that a person saved with a browser.

    A file may claim any address, so captures are named in the record only for the sources that you list with
    --source; the others that the file has are told. Each record is checked; one whose digest is wrong is
    refused by name. Exit codes: 0 all taken in, 1 some records were refused, 2 a file is no archive.
    """
    named = Named(open_store(), coder)
    if unknown := [source for source in wanted if source not in named.sources]:
        fail(f"the record has no source {one_line(', '.join(unknown))}")
    problems = 0
    with desk(folder) as (archive, sandbox):
        for file in files:
            done = import_warc(archive, file)
            for line in done.problems:
                click.echo(f"{file.name}: {one_line(line)}", err=True)
            problems += len(done.problems) + done.unsaid
            click.echo(
                f"{file.name}: {len(done.kept)} kept, {len(done.problems) + done.unsaid} refused, "
                f"{sum(done.skipped.values())} left out"
                + "".join(f"; {count} {why}" for why, count in sorted(done.skipped.items()))
                + (f"; {done.unchecked} carry no digest" if done.unchecked else "")
            )
            _name_wanted(done.kept, wanted, named, archive, sandbox)
    sys.exit(1 if problems else 0)


@click.command("import-file")
@click.argument("path", type=FILE)
@click.option("--url", required=True, help="The address that it was saved from.")
@click.option("--on", "when", help="When it was saved, 2026-01-02T03:04:05Z (default: now).")
@click.option(
    "--media-type", default="", help="What it is, such as application/pdf (default: as its bytes say)."
)
@ARCHIVE
@BY
@CLEARLY
def import_one(
    *, path: Path, url: str, when: str | None, media_type: str, folder: Path | None, coder: str
) -> None:
    """Take in one document at PATH that a person saved by hand: a PDF, a page, a Word file.

    Exit codes: 0 kept, 2 it is none that can be taken in.
    """
    named = Named(open_store(), coder)
    with desk(folder) as (archive, sandbox):
        taken = take_file(handed_file(path, url, when or moment(), media_type), archive, sandbox.read)
        click.echo(f"kept: {one_line(url)}: {taken.kept.bytes:,} bytes, sha256 {taken.kept.sha256}")
        _name_all([taken], named)


def _name_wanted(
    kept: Iterable[Kept], wanted: tuple[str, ...], named: Named, archive: Archive, sandbox: Sandbox
) -> None:
    """Name the captures of the sources that a person listed, and tell of the others."""
    others: set[str] = set()
    count = 0
    for one in kept:
        for source in named.at(one.asked) or named.at(one.address):
            if source.id not in wanted:
                others.add(source.id)
                continue
            taken = reread(one, archive, sandbox.read)
            count += named.name(source, taken, "imported", Witness()) is not None
    named.flush()
    click.echo(f"{count} captures named in the record.")
    if others:
        listed = " ".join(f"--source {source}" for source in sorted(others)[:20])
        click.echo(f"the file also says that it has what these sources have; to name them: {listed}")


def _name_all(taken: Iterable[Taken], named: Named) -> None:
    """Name handed-in captures in the record where a source has their address."""
    count = 0
    for one in taken:
        sources = named.at(one.kept.asked) or named.at(one.kept.address)
        if not sources:
            click.echo(f"no source of the record has the address {one_line(one.kept.address)}")
        if one.problem:
            click.echo(f"not read as text: {one_line(one.kept.address)}: {one_line(one.problem)}")
        for source in sources:
            count += named.name(source, one, "imported", Witness()) is not None
    named.flush()
    click.echo(f"{count} captures named in the record.")


COMMANDS = (import_warcs, import_one)
