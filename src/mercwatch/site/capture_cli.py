"""The command that fetches sources and keeps exactly what was served."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from mercwatch.capture import witnesses
from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.asking import FetchError
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.fetching import Fetcher, Validators
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import Taken, take
from mercwatch.site.capturing import Named, Outcome, Witness, adopt, fetch_all, rules
from mercwatch.site.database import open_store
from mercwatch.site.desk import ARCHIVE, BY, CLEARLY, PACE, TIMEOUT, desk
from mercwatch.site.ends import fail


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
@CLEARLY
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


COMMANDS = (capture,)
