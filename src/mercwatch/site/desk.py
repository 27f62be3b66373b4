"""What the commands on captures share: their options, the archive and the readers, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mercwatch.capture.archive import Archive, ArchiveError
from mercwatch.capture.importing import ImportRefused
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.waiting import WaitingError
from mercwatch.capture.witnesses import StampError
from mercwatch.site.capturing import SettingsError, archive_folder
from mercwatch.site.ends import fails_clearly

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
CLEARLY = fails_clearly(ArchiveError, ImportRefused, SettingsError, StampError, WaitingError)


@contextmanager
def desk(folder: Path | None) -> Iterator[tuple[Archive, Sandbox]]:
    """The archive, opened for writing, and the readers in their sandbox."""
    with Archive.open(archive_folder(folder), write=True) as archive, Sandbox() as sandbox:
        yield archive, sandbox
