"""Where a law book lies: a folder, a tar archive, a Parquet table or an object store."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal

from mercwatch.capture.markup import MAX_FILE, SUFFIXES

_STORES = ("s3://", "gs://", "az://", "abfs://", "hf://", "http://", "https://")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst")
_MAX_UNPACKED = 64 * 2**30
_MAX_MEMBERS = 5_000_000
NOT_LAWS = frozenset({"readme", "license", "changelog", "contributing", "deferred", "index-of-laws"})


class SourceError(Exception):
    """There is no law book at this place; says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A law book. root: where its files lie; files: names relative to it (none for tables and stores).

    stamp: changes where the book does, by the sizes and times of its files.
    """

    kind: Literal["files", "parquet", "store"]
    root: str
    files: tuple[str, ...] = ()
    stamp: str = ""


def _walk(root: Path) -> Iterator[tuple[str, int, int]]:
    folders = [root]
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.name.lower().endswith(SUFFIXES):
                    stem = entry.name.rsplit(".", 1)[0].lower()
                    if stem not in NOT_LAWS:
                        told = entry.stat(follow_symlinks=False)
                        yield Path(entry.path).relative_to(root).as_posix(), told.st_size, told.st_mtime_ns


def _folder(root: Path) -> Source:
    found = sorted(_walk(root))
    if not found:
        raise SourceError(f"{root}: holds no law ({', '.join(SUFFIXES)}): nothing to mine")
    stamp = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    return Source("files", str(root), tuple(file for file, _, _ in found), stamp)


def _stamp(path: Path) -> str:
    told = path.stat()
    return f"{told.st_size} {told.st_mtime_ns}"


def _unpack(archive: Path, into: Path) -> None:
    """Unpack an archive's plain files; links, devices and paths that lead out are left where they are."""
    total = members = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                members += 1
                name = PurePosixPath(member.name)
                if not member.isreg() or name.is_absolute() or ".." in name.parts:
                    continue
                total += member.size
                if total > _MAX_UNPACKED or members > _MAX_MEMBERS:
                    raise SourceError(
                        f"{archive}: holds more than {_MAX_UNPACKED >> 30} GiB or {_MAX_MEMBERS:,} files"
                    )
                stream = tar.extractfile(member)
                if stream is None or member.size > MAX_FILE:
                    continue
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(stream.read(MAX_FILE))
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise SourceError(f"{archive}: is no tar archive that can be read: {error}") from None


@contextmanager
def opened(place: str) -> Iterator[Source]:
    """The law book at a place; an archive is unpacked into a temporary folder until the end."""
    if place.startswith(_STORES):
        yield Source("store", place)
        return
    path = Path(place)
    if path.is_dir():
        yield _folder(path)
    elif path.is_file() and place.lower().endswith(_ARCHIVES):
        with TemporaryDirectory(prefix="mercwatch-book-") as folder:
            _unpack(path, Path(folder))
            yield replace(_folder(Path(folder)), stamp=_stamp(path))
    elif path.is_file() and place.lower().endswith(".parquet"):
        yield Source("parquet", place, stamp=_stamp(path))
    else:
        raise SourceError(f"{place}: is no folder, tar archive, Parquet table or store address")
