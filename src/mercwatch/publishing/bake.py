"""Baking: the whole site written aside, then put in place at once.

The folder that the public sees is a symbolic link to the newest whole bake beside it. A file whose
bytes have not changed is not written again: it is the same file, linked into the new bake.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mercwatch.publishing.edition import Edition
from mercwatch.publishing.files import all_files, manifest
from mercwatch.record.ledger import Ledger

Progress = Callable[[int, int], None]
FILES_A_THING = 2  # for the progress bar: most live things have a page and a twin


class BakeError(ValueError):
    """The site cannot be baked there."""


@dataclass(frozen=True)
class BakeReport:
    """What a bake wrote, what it found unchanged, and the size of the whole site."""

    written: int
    unchanged: int
    bytes: int


def bake(ledger: Ledger, out: Path, progress: Progress | None = None) -> BakeReport:
    """Bake the newest release so that `out` leads to it.

    BakeError where `out` is something else than a link that an earlier bake made; LedgerError
    before the first release. A bake that is killed leaves the old site as it was.
    """
    place = _Place(out)
    place.prepare()
    edition = Edition.of(ledger)
    expected = FILES_A_THING * len(edition.snapshot.live)
    hashes: dict[str, str] = {}
    for name, data in all_files(ledger, edition):
        hashes[name] = place.write(name, data)
        if progress:
            progress(min(len(hashes), expected - 1), expected)
    digest = place.write("release.json", manifest(edition, hashes))
    place.show(digest)
    if progress:
        progress(expected, expected)
    return BakeReport(place.written, place.unchanged, place.bytes)


class _Place:
    """The link that the public sees, the bake that it leads to, and the one being made beside it."""

    def __init__(self, out: Path) -> None:
        self.out = out.absolute()
        self.old = self.out.resolve() if self.out.is_symlink() else None
        self.new = self.out.with_name(f".{self.out.name}.new-{os.getpid()}")
        self.written = self.unchanged = self.bytes = 0

    def prepare(self) -> None:
        """Check that the place is ours, and clear away what a killed bake left."""
        prefix = f".{self.out.name}-"
        ours = (
            self.old is not None and self.old.parent == self.out.parent and self.old.name.startswith(prefix)
        )
        if self.out.is_symlink() and not ours:
            raise BakeError(f"{self.out} is a link that no bake made; choose another folder")
        if self.out.exists() and not self.out.is_symlink():
            raise BakeError(f"{self.out} exists and is not a baked site; choose another folder")
        self.out.parent.mkdir(parents=True, exist_ok=True)
        for stale in self.out.parent.glob(f".{self.out.name}.new-*"):
            if not _running(stale.name.rpartition("-")[2]):
                shutil.rmtree(stale)
        shutil.rmtree(self.new, ignore_errors=True)

    def write(self, name: str, data: bytes) -> str:
        """Write one file, or link the old one where it says the same; its SHA-256."""
        path = self.new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.bytes += len(data)
        old = self.old / name if self.old else None
        if old and _says(old, data):
            os.link(old, path)
            self.unchanged += 1
        else:
            path.write_bytes(data)
            self.written += 1
        return hashlib.sha256(data).hexdigest()

    def show(self, digest: str) -> None:
        """Put the new bake in the old one's place in one step, then remove the old one."""
        final = self.out.with_name(f".{self.out.name}-{digest[:16]}")
        if final == self.old:
            shutil.rmtree(self.new)
            return
        shutil.rmtree(final, ignore_errors=True)
        self.new.rename(final)
        link = self.out.with_name(f".{self.out.name}.link-{os.getpid()}")
        with suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(final.name)
        link.replace(self.out)
        for other in self.out.parent.glob(f".{self.out.name}-*"):
            if other != final:
                shutil.rmtree(other, ignore_errors=True)


def _says(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()
