"""The public's commands: explain an assessment, bake the site, serve it."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import click

from mercwatch.assessment.assess import assess as assess_actor
from mercwatch.framework.load import CodebookError
from mercwatch.framework.load import load as load_codebook
from mercwatch.publishing.bake import BakeError, bake
from mercwatch.record.kinds import Actor
from mercwatch.record.ledger import LedgerError
from mercwatch.record.problems import Problem, Refused
from mercwatch.site.database import open_store
from mercwatch.site.ends import fails_clearly
from mercwatch.site.explain import as_json, as_text
from mercwatch.site.serve import HOST, server

DAY = click.DateTime(["%Y-%m-%d"])
FOLDER = click.Path(path_type=Path, file_okay=False)
_CLEARLY = fails_clearly(CodebookError, BakeError)


@click.command()
@click.argument("actor")
@click.option("--as-of", type=DAY, help="The day the levels are asked for (default: the release's).")
@click.option("--known-on", type=DAY, help="Answer from the last release at or before that day.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@_CLEARLY
def assess(actor: str, as_of: datetime | None, known_on: datetime | None, json_wanted: bool) -> None:
    """Explain ACTOR (FR, EU, or an organisation's id): each level with its way back to the source."""
    ledger = open_store().read()
    snapshot = ledger.known_on(known_on.date()) if known_on else ledger.at()
    if actor not in snapshot.live or not isinstance(snapshot.live[actor].body, Actor):
        raise LedgerError(
            f"there is no government or organisation {actor} in release {snapshot.release.head[:12]}"
        )
    day = as_of.date() if as_of else date.fromisoformat(snapshot.release.body.date)
    terms = load_codebook(snapshot.release.body.codebook)
    card = assess_actor(snapshot, terms, actor, day)
    if json_wanted:
        click.echo(json.dumps(as_json(card, snapshot, terms), indent=2, ensure_ascii=False))
    else:
        click.echo(as_text(card, snapshot, terms))


@click.command()
@click.option(
    "--out", required=True, type=FOLDER, help="Where the site goes; a link to the newest whole bake."
)
@_CLEARLY
def publish(out: Path) -> None:
    """Bake the public site of the newest release into the folder OUT."""
    ledger = open_store().read()
    with click.progressbar(length=1, label="Baking", file=sys.stderr) as bar:

        def progress(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        report = bake(ledger, out, progress)
    click.echo(
        f"{report.written} files written, {report.unchanged} unchanged, {report.bytes:,} bytes in {out}."
    )


@click.command()
@click.argument("site", type=FOLDER)
@click.option("--port", default=8000, show_default=True, help="0 takes a free port.")
@_CLEARLY
def serve(site: Path, port: int) -> None:
    """Serve the baked SITE on 127.0.0.1 until interrupted."""
    if not (site / "index.html").is_file():
        raise Refused([Problem(str(site), 1, "there is no baked site here; run mercwatch publish first")])
    try:
        httpd = server(site, port)
    except OSError as error:
        raise Refused([Problem(f"port {port}", 1, str(error.strerror))]) from error
    click.echo(f"Serving {site} at http://{HOST}:{httpd.server_address[1]}/ (stop with Ctrl-C).")
    with suppress(KeyboardInterrupt):
        httpd.serve_forever()


COMMANDS = (assess, publish, serve)
