"""The plan that Daft runs: files in, one row for each file out; on one machine or on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import daft
import pyarrow as pa
from daft import DataType, Series, col

from mercwatch.capture.markup import MAX_FILE
from mercwatch.mining.miner import REFUSED, Best, Mined, mine_bytes

Engine = Literal["local", "ray"]
BATCH = 64
"""Files that a worker takes at once; also what is lost of the work when it is killed."""

_CANDIDATE = DataType.struct(
    {
        "article": DataType.string(),
        "recommendation": DataType.string(),
        "sum": DataType.float64(),
        "start": DataType.int64(),
        "end": DataType.int64(),
        "sha256": DataType.string(),
        "fold": DataType.string(),
        "reasons": DataType.list(DataType.string()),
    }
)
_MINED = DataType.struct(
    {
        "file": DataType.string(),
        "status": DataType.string(),
        "message": DataType.string(),
        "size": DataType.int64(),
        "law": DataType.string(),
        "title": DataType.string(),
        "language": DataType.string(),
        "provisions": DataType.int64(),
        "meta": DataType.list(DataType.string()),
        "candidates": DataType.list(_CANDIDATE),
    }
)


class _Worker:
    """One process that mines files; it loads its lexicons and model once.

    root: where the files lie; empty where a table or store brings the texts, so that no name in it is opened.
    """

    def __init__(self, root: str, allowed: tuple[str, ...], top: int) -> None:
        self.root, self.allowed, self.best = root, allowed, Best(top)

    @daft.method.batch(return_dtype=_MINED, batch_size=BATCH)
    def mine(self, file: Series, data: Series) -> list[dict[str, Any]]:
        """Mine a batch: file names and, where Daft's readers fetched them, their bytes."""
        rows = zip(file.to_pylist(), data.to_pylist(), strict=True)
        return [_row(self._one(name, content)) for name, content in rows]

    def _one(self, file: str, content: bytes | str | None) -> Mined:
        try:
            data = content.encode() if isinstance(content, str) else content
            if data is None:
                if not self.root:
                    raise ValueError("came without its text")
                data = read_bounded(Path(self.root) / file)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Mined(file, REFUSED, reason)
        try:
            return mine_bytes(data, file, self.allowed, self.best)
        except Exception as error:  # a law that breaks the miner costs itself only, and is named
            return Mined(file, REFUSED, f"the miner failed on it: {type(error).__name__}: {str(error)[:100]}")


def read_bounded(path: Path) -> bytes:
    """A file's bytes; ValueError where it is no plain file or too large, OSError where it cannot be read."""
    if path.is_symlink() or not path.is_file():
        raise ValueError("is not a plain file")
    size = path.stat().st_size
    if size > MAX_FILE:
        raise ValueError(f"is larger than {MAX_FILE >> 20} MiB ({size:,} bytes)")
    with path.open("rb") as stream:
        return stream.read(MAX_FILE + 1)


def _row(mined: Mined) -> dict[str, Any]:
    row = asdict(mined)
    row["meta"] = [part for pair in mined.meta.items() for part in pair]
    return row


_chosen: list[Engine] = []
"""Daft takes a runner once in a process."""


def workers() -> int:
    """How many processes mine at once: one for each core, eight at most."""
    return max(1, min(8, len(os.sched_getaffinity(0))))


def choose(engine: Engine, address: str | None = None) -> None:
    """Set Daft's runner for this process: native, or Ray at an address (or started here)."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each core has its worker; more threads only wait
    if daft.get_or_infer_runner_type() == ("ray" if engine == "ray" else "native") and _chosen:
        return
    _chosen.append(engine)
    if engine == "ray":
        daft.set_runner_ray(address=address)
    else:
        daft.set_runner_native()


def from_files(files: list[str]) -> daft.DataFrame:
    """A plan over files that the workers read themselves; names are relative to their root."""
    frame = daft.from_pydict({"file": files})
    return frame.with_column("data", daft.lit(None).cast(DataType.binary()))


def from_parquet(path: str) -> daft.DataFrame:
    """A plan over a table of laws: a column `file`, and one of `data`, `content` or `text`."""
    frame = daft.read_parquet(path)
    names = frame.column_names
    body = next((name for name in ("data", "content", "text") if name in names), None)
    if "file" not in names or body is None:
        raise ValueError(
            f"{path}: needs the columns file and text (or content, data); it has {', '.join(names)}"
        )
    return frame.select(col("file"), col(body).cast(DataType.binary()).alias("data"))


def from_store(address: str) -> daft.DataFrame:
    """A plan over an object store (s3://, gs://, az://, https://), read by Daft's own readers."""
    frame = daft.from_glob_path(address.rstrip("/") + "/**")
    name = col("path").replace(address.rstrip("/") + "/", "")
    return frame.select(name.alias("file"), col("path").download(on_error="null").alias("data"))


def run(frame: daft.DataFrame, root: str, allowed: tuple[str, ...], top: int) -> Iterator[pa.Table]:
    """Run the plan and give its rows as they come, as tables with one column `mined`."""
    made = daft.cls(max_concurrency=workers(), use_process=True)(_Worker)
    worker = made(root, allowed, top)
    mined = frame.select(worker.mine(col("file"), col("data")).alias("mined"))
    for part in mined.to_arrow_iter():
        yield part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
