"""The commands that check the archive, find in it, and say what failed."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NoReturn

import click

from mercwatch.capture import witnesses
from mercwatch.capture.archive import Archive, ArchiveError
from mercwatch.capture.basics import one_line
from mercwatch.record.writing import write_whole
from mercwatch.site.capturing import Named, archive_folder
from mercwatch.site.database import open_store
from mercwatch.site.desk import ARCHIVE, CLEARLY
from mercwatch.site.rechecking import text_of


@click.group("archive")
def archive_group() -> None:
    """The archive of captures: check it, find in it, see what failed."""


@archive_group.command("verify")
@ARCHIVE
@CLEARLY
def verify_archive(folder: Path | None) -> None:
    """Check every file, record and hash, and that every capture which the record names is there.

    Exit codes: 0 all is well, 1 something is missing or damaged.
    """
    named = Named(open_store(), "machine-1")
    pem = witnesses.configured(os.environ).roots
    roots = witnesses.roots_of(pem) if pem else ()
    with Archive.open(archive_folder(folder)) as archive:
        problems = list(archive.verify())
        for capture_ in named.captures.values():
            if not archive.with_sha256(capture_.sha256):
                problems.append(
                    f"{capture_.id}: the record names sha256 {capture_.sha256}, which is not here"
                )
            for passage in named.passages_of(capture_.id):
                try:
                    text_of(archive, named, capture_, passage)
                except ArchiveError as error:
                    problems.append(str(error))
            if capture_.stamp:
                try:
                    stamp = capture_.stamp.token_sha256
                    token = witnesses.kept_token(archive.folder, capture_.sha256, stamp)
                    if roots:
                        witnesses.verify_token(token, capture_.sha256, roots)
                except witnesses.StampError as error:
                    problems.append(f"{capture_.id}: {error}")
        for problem in problems:
            click.echo(one_line(problem), err=True)
        click.echo(
            f"{len(archive)} captures, {len(named.captures)} named in the record, {len(problems)} problem(s)."
        )
    sys.exit(1 if problems else 0)


@archive_group.command("find")
@click.argument("wanted")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the newest one's bytes here."
)
@ARCHIVE
@CLEARLY
def find_capture(wanted: str, out: Path | None, folder: Path | None) -> None:
    """Find captures by an address, or by their SHA-256. Exit code 1 when there are none."""
    with Archive.open(archive_folder(folder)) as archive:
        found = archive.with_sha256(wanted) if re.fullmatch("[0-9a-f]{64}", wanted) else archive.of(wanted)
        for kept in found:
            click.echo(
                f"{kept.moment}  {kept.sha256}  {kept.bytes:,} bytes  {one_line(kept.media_type)}  "
                f"{kept.kind}  {one_line(kept.address)}"
            )
        if not found:
            fail_softly(f"there is no capture of {one_line(wanted)}")
        if out is not None:
            write_whole(out, archive.body(found[-1]))
            click.echo(f"written to {out}; it is hostile until you know better")


@archive_group.command("failures")
@ARCHIVE
@CLEARLY
def failures(folder: Path | None) -> None:
    """List the attempts that failed, with their reasons, oldest first."""
    with Archive.open(archive_folder(folder)) as archive:
        for attempt in archive.attempts():
            what = f"{one_line(attempt.address)}: {one_line(attempt.message)}"
            click.echo(f"{attempt.moment}  {attempt.reason}  {what}")


def fail_softly(message: str) -> NoReturn:
    """Say what was not found, and end with exit code 1."""
    click.echo(message, err=True)
    sys.exit(1)


COMMANDS = (archive_group,)
