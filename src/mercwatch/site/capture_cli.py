"""The capture room's commands: fetch and keep sources, take in what a person saved, tend the archive."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import click

from mercwatch.capture import witnesses
from mercwatch.capture.archive import Archive, ArchiveError, Kept
from mercwatch.capture.asking import FetchError
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.fetching import Fetcher, Validators
from mercwatch.capture.importing import ImportRefused, handed_file, import_warc
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import Taken, reread, take, take_file
from mercwatch.capture.waiting import WaitingError
from mercwatch.record.ledger import LedgerError
from mercwatch.record.problems import Refused
from mercwatch.record.writing import write_whole
from mercwatch.site.capturing import (
    Named,
    Outcome,
    SettingsError,
    Witness,
    adopt,
    archive_folder,
    fetch_all,
    rules,
)
from mercwatch.site.database import open_store
from mercwatch.site.rechecking import text_of

P = ParamSpec("P")
R = TypeVar("R")
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

ARCHIVE = click.option(
    "--archive", "folder", type=FOLDER, help="The archive (default: MERCWATCH_ARCHIVE, or var/archive)."
)
BY = click.option("--by", "coder", default="machine-1", show_default=True, help="Who records: a coder's id.")
PACE = click.option(
    "--pace", type=click.FloatRange(0, 3_600), help="Seconds between two requests to one host (default: 2)."
)
TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(0.1, 600), help="Seconds that one answer may take (default: 60)."
)


STOPS = (
    ArchiveError,
    ImportRefused,
    SettingsError,
    LedgerError,
    Refused,
    WaitingError,
    witnesses.StampError,
)


def fail(message: str) -> NoReturn:
    """Say why a command stops, and end with exit code 2."""
    click.echo(message, err=True)
    sys.exit(2)


def fails_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """What stops a run is said in one line, with exit code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except STOPS as error:
            fail(str(error))
        except OSError as error:
            fail(f"{error.filename or 'the archive'}: {error.strerror}; nothing half-done was kept")

    return wrapped


@contextmanager
def desk(folder: Path | None) -> Iterator[tuple[Archive, Sandbox]]:
    """The archive, opened for writing, and the readers in their sandbox."""
    with Archive.open(archive_folder(folder), write=True) as archive, Sandbox() as sandbox:
        yield archive, sandbox


@click.command()
@click.argument("addresses", nargs=-1)
@click.option("--pending", is_flag=True, help="Every source of the record that has no capture.")
@click.option("--limit", type=click.IntRange(1), help="At most so many addresses.")
@click.option(
    "--again-after", default=20.0, show_default=True, help="Hours before a failed address is asked again."
)
@PACE
@TIMEOUT
@ARCHIVE
@BY
@fails_clearly
def capture(
    *,
    addresses: tuple[str, ...],
    pending: bool,
    limit: int | None,
    again_after: float,
    pace: float | None,
    timeout: float | None,
    folder: Path | None,
    coder: str,
) -> None:
    """Fetch ADDRESSES, keep exactly what was served, and name the captures of the record's sources.

    A run that was stopped goes on where it was. Each address gets one line; what failed is recorded with its
    reason. Exit codes: 0 all kept, 1 some failed, 2 the run could not go on.
    """
    if not addresses and not pending:
        fail("give addresses, or --pending for every source without a capture")
    told = rules(pace, timeout)
    named = Named(open_store(), coder)
    with desk(folder) as (archive, sandbox):
        wanted = list(addresses)
        if pending and not named.sources:
            fail("the record has no sources; take it in first: mercwatch load data")
        if pending:
            adopted = adopt(named, archive, sandbox.read)
            if adopted:
                click.echo(f"{adopted} captures of an earlier run named in the record.")
            resting = _resting(archive, again_after)
            waiting = [source.address for source in named.pending()]
            wanted += [address for address in waiting if address not in resting]
            rested = len(waiting) - sum(address not in resting for address in waiting)
            if rested:
                click.echo(f"{rested} addresses failed within {again_after:g} hours: see --again-after.")
        run = _Run(archive, sandbox, named, Fetcher(told))
        run.all(wanted[:limit] if limit else wanted)
        named.flush()
    if run.failed > 1 and run.unanswered == run.done:
        click.echo("nothing answered: is this machine connected?", err=True)
    click.echo(run.summary(), err=True)
    sys.exit(1 if run.failed else 0)


def _resting(archive: Archive, hours: float) -> set[str]:
    """Addresses that failed a short while ago; a host that did not answer, or our own line, may be back."""
    since = moment(datetime.now(UTC) - timedelta(hours=hours))
    failed = (attempt for attempt in archive.attempts() if attempt.moment > since)
    return {attempt.address for attempt in failed if attempt.reason != "no-answer"}


class _Run:
    """One run of `capture`: counts, and says one line an address."""

    def __init__(self, archive: Archive, sandbox: Sandbox, named: Named, fetcher: Fetcher) -> None:
        self.archive, self.sandbox, self.named, self.fetcher = archive, sandbox, named, fetcher
        # A service that is asked for a copy is no page that is read: its robots.txt is for crawlers.
        self.service = Fetcher(replace(fetcher.rules, robots=False))
        self.witnesses = witnesses.configured(os.environ)
        self.roots = witnesses.roots_of(self.witnesses.roots) if self.witnesses.roots else ()
        self.done = self.kept = self.same = self.failed = self.unanswered = 0
        self.total = 0

    def all(self, addresses: list[str]) -> None:
        """Fetch and keep all addresses."""
        self.total = len(dict.fromkeys(addresses))
        for outcome in fetch_all(self.fetcher, addresses, self._known):
            self.done += 1
            line = self._one(outcome)
            click.echo(f"[{self.done}/{self.total}] {line}")

    def _known(self, address: str) -> Validators | None:
        kept = self.archive.newest(address, "fetched")
        return (
            Validators(kept.etag, kept.last_modified) if kept and (kept.etag or kept.last_modified) else None
        )

    def _one(self, outcome: Outcome) -> str:
        error = outcome.error
        if outcome.fetched is not None:
            try:
                return self._taken(outcome.address, take(outcome.fetched, self.archive, self.sandbox.read))
            except FetchError as refused:
                error = refused
        assert error is not None  # noqa: S101 - an outcome has a document or an error
        self.failed += 1
        self.unanswered += error.reason == "no-answer"
        self.archive.fail(outcome.address, moment(), error)
        return f"failed: {one_line(outcome.address)}: {one_line(str(error), 600)}"

    def _taken(self, address: str, taken: Taken) -> str:
        kept = taken.kept
        earlier = [other for other in self.archive.with_sha256(kept.sha256) if other.number < kept.number]
        self.same += bool(earlier)
        self.kept += not earlier
        sources = self.named.at(address)
        witness = Witness() if earlier else self._witness(kept)
        for source in sources:
            self.named.name(source, taken, "fetched", witness)
        state = "same as before" if earlier else "kept"
        how = taken.reading.reader if taken.reading else f"not read as text: {taken.problem}"
        whose = "" if sources else "; no source of the record has this address"
        what = f"{kept.bytes:,} bytes, sha256 {kept.sha256}, {one_line(how)}"
        return f"{state}: {one_line(address)}: {what}{whose}"

    def _witness(self, kept: Kept) -> Witness:
        """Ask the second witnesses, if any are configured; what they do not give is said."""
        second, stamp = None, None
        try:
            if self.witnesses.archive:
                second = witnesses.archive_elsewhere(self.service, self.witnesses.archive, kept.address)
        except FetchError as error:
            click.echo(f"no second archive address: {one_line(str(error))}", err=True)
        try:
            if self.witnesses.authority:
                stamp = witnesses.time_stamp(
                    self.fetcher.post, self.witnesses.authority, kept.sha256, self.roots
                )
                witnesses.keep_token(self.archive.folder, stamp, kept.sha256)
        except (FetchError, witnesses.StampError) as error:
            click.echo(f"no time stamp: {one_line(str(error))}", err=True)
        return Witness(second, stamp)

    def summary(self) -> str:
        """What the run did, in one line."""
        return (
            f"{self.kept} kept, {self.same} same as before, {self.failed} failed; "
            f"{self.named.added} captures named in the record."
        )


@click.command("import-warc")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--source", "wanted", multiple=True, help="Name the captures of this source; more than once.")
@ARCHIVE
@BY
@fails_clearly
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
@fails_clearly
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


@click.group("archive")
def archive_group() -> None:
    """The archive of captures: check it, find in it, see what failed."""


@archive_group.command("verify")
@ARCHIVE
@fails_clearly
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
@fails_clearly
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
@fails_clearly
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


COMMANDS = (capture, import_warcs, import_one, archive_group)
