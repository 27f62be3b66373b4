"""Mines a whole law book: runs the plan, keeps what is done, merges, and writes all in one move."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet

from mercwatch.capture.law import LawError, front_matter
from mercwatch.mining import engine
from mercwatch.mining.force import InForce, LawFacts, judge
from mercwatch.mining.language import of_book
from mercwatch.mining.lexicon import RECOMMENDATIONS, languages
from mercwatch.mining.miner import OTHER, READ, WHOLE
from mercwatch.mining.model import ModelError, model
from mercwatch.mining.sources import Source, SourceError, opened

_SAMPLE = 200
_FLUSH = 2_000
Progress = Callable[[int, int, int], None]
"""Called with files done, files in all (0 where not known) and bytes read."""


@dataclass(frozen=True)
class Options:
    """What to mine and how. language: codes with commas, or auto; top: candidates for each recommendation."""

    place: str
    out: Path
    language: str = "auto"
    engine: engine.Engine = "local"
    address: str | None = None
    top: int = 1_000


@dataclass
class Summary:
    """What became of the files of a law book, for people and for summary.json."""

    languages: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    provisions: int = 0
    candidates: int = 0
    resumed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class MineError(Exception):
    """The book could not be mined; nothing was left behind."""


def mine(options: Options, progress: Progress) -> Summary:
    """Mine a law book into options.out (.jsonl or .parquet); raises MineError and leaves nothing then.

    A run that was killed is taken up where it stopped: what is done lies beside the result, in
    `<out>.parts`, until the end.
    """
    if options.out.suffix not in (".jsonl", ".parquet"):
        raise MineError(f"{options.out}: the result's name must end in .jsonl or .parquet")
    parts = options.out.with_name(options.out.name + ".parts")
    try:
        model()
        with opened(options.place) as source:
            allowed = languages_of(source, options.language)
            _prepare(parts, _fingerprint(options, source, allowed))
            summary = Summary(allowed)
            _run(options, source, parts, summary, progress)
            book, rows = _merge(parts, options.top, summary)
            _write(options.out, _finished(rows, judge(book, datetime.now(UTC).date().isoformat())), summary)
    except (SourceError, ModelError, MineError) as error:
        if parts.is_dir() and not _part_files(parts):
            shutil.rmtree(parts, ignore_errors=True)
        raise MineError(str(error)) from None
    except OSError as error:
        shutil.rmtree(parts, ignore_errors=True)
        _aside(options.out).unlink(missing_ok=True)
        raise MineError(
            f"{error.filename or options.out}: {error.strerror or error}; nothing was left behind"
        ) from None
    shutil.rmtree(parts, ignore_errors=True)
    return summary


def languages_of(source: Source, asked: str = "auto") -> tuple[str, ...]:
    """The languages that a book is written in, asked for or found by a sample of its laws."""
    if asked != "auto":
        chosen = tuple(sorted(code.strip() for code in asked.split(",")))
        unknown = [code for code in chosen if code not in languages()]
        if unknown:
            raise MineError(
                f"--language: no lexicon for {', '.join(unknown)}; there are {', '.join(languages())}"
            )
        return chosen
    if source.kind != "files":
        return ()
    step = max(1, len(source.files) // _SAMPLE)
    return of_book(text for file in source.files[::step] if (text := _opening(Path(source.root) / file)))


def _opening(path: Path) -> str:
    try:
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open("rb") as stream:
            data = stream.read(16_000)
        return data[front_matter(data)[1] :].decode("utf-8", "ignore")
    except (OSError, LawError, UnicodeDecodeError):
        return ""


def knowledge() -> str:
    """A digest of the lexicons and the model: another digest, another ranking."""
    digest = hashlib.sha256()
    folder = resources.files("mercwatch.mining")
    names = sorted(f"lexicons/{entry.name}" for entry in (folder / "lexicons").iterdir())
    for name in [*names, "in_force.yaml", "model.json"]:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    return digest.hexdigest()


def _fingerprint(options: Options, source: Source, allowed: tuple[str, ...]) -> dict[str, object]:
    place = os.path.abspath(options.place) if source.kind != "store" else options.place  # noqa: PTH100
    return {
        "place": place,
        "stamp": source.stamp,
        "languages": allowed,
        "top": options.top,
        "knowledge": knowledge(),
    }


def _prepare(parts: Path, fingerprint: dict[str, object]) -> None:
    """Keep the parts of an earlier run of the same work; start anew for any other."""
    wanted = json.dumps(fingerprint, sort_keys=True)
    state = parts / "work.json"
    if state.is_file() and state.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    state.write_text(wanted, encoding="utf-8")


def _part_files(parts: Path) -> list[Path]:
    return sorted(parts.glob("part-*.arrow"))


def _tables(parts: Path) -> Iterator[pa.Table]:
    for path in _part_files(parts):
        with pa.memory_map(str(path)) as source:
            yield pa.ipc.open_file(source).read_all()


def _run(options: Options, source: Source, parts: Path, summary: Summary, progress: Progress) -> None:
    allowed = summary.languages
    done: set[str] = set()
    for table in _tables(parts):
        done |= set(pc.struct_field(table["mined"], "file").to_pylist())
    summary.resumed = len(done)
    files = [file for file in source.files if file not in done]
    if source.kind == "files" and not files:
        return
    engine.choose(options.engine, options.address)
    if source.kind == "files":
        frame = engine.from_files(files)
    elif source.kind == "parquet":
        try:
            frame = engine.from_parquet(source.root)
        except ValueError as error:
            raise MineError(str(error)) from None
    else:
        frame = engine.from_store(source.root)
    number = len(_part_files(parts))
    count, size = len(done), 0
    waiting: list[pa.Table] = []
    root = os.path.abspath(source.root) if source.kind == "files" else ""  # noqa: PTH100
    for table in engine.run(frame, root, allowed, options.top):
        fresh = table if source.kind == "files" else _without(table, done)
        waiting.append(fresh)
        count += fresh.num_rows
        size += pc.sum(pc.struct_field(fresh["mined"], "size")).as_py() or 0
        progress(count, len(source.files), size)
        if sum(t.num_rows for t in waiting) >= _FLUSH:
            _keep(parts, number := number + 1, waiting)
            waiting = []
    if waiting:
        _keep(parts, number + 1, waiting)
    if not count:
        raise SourceError(f"{options.place}: holds no law: nothing to mine")


def _without(table: pa.Table, done: set[str]) -> pa.Table:
    if not done:
        return table
    files = pc.struct_field(table["mined"], "file")
    return table.filter(pc.invert(pc.is_in(files, pa.array(sorted(done)))))


def _keep(parts: Path, number: int, tables: list[pa.Table]) -> None:
    table = pa.concat_tables(tables)
    path = parts / f"part-{number:06}.arrow"
    aside = path.with_suffix(".new")
    with pa.OSFile(str(aside), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    aside.rename(path)


def _merge(parts: Path, top: int, summary: Summary) -> tuple[list[LawFacts], list[dict[str, Any]]]:
    """All laws' facts, and the folded best candidates with all their places."""
    book: list[LawFacts] = []
    best: dict[str, list[dict[str, Any]]] = {name: [] for name in RECOMMENDATIONS}
    for table in _tables(parts):
        for mined in table["mined"].to_pylist():
            _count(mined, summary)
            if mined["status"] not in (READ, OTHER, WHOLE):
                continue
            meta = dict(zip(mined["meta"][::2], mined["meta"][1::2], strict=True))
            facts = LawFacts(mined["file"], mined["law"], mined["title"], mined["language"], meta)
            book.append(facts)
            for candidate in mined["candidates"]:
                best[candidate["recommendation"]].append({**candidate, "facts": facts})
        for name, rows in best.items():
            if len(rows) > 8 * top:
                best[name] = sorted(rows, key=_order)[: 4 * top]
    rows = [row for name in RECOMMENDATIONS for row in _folded(_strongest(best[name], 2 * top))[:top]]
    summary.problems.sort()
    summary.candidates = len(rows)
    return book, rows


def _strongest(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The strongest rows, with all that are as strong as the last.

    Weaker ones are here or not by which worker met them when; without them every run gives the same places.
    """
    if len(rows) <= count:
        return rows
    least = sorted((row["sum"] for row in rows), reverse=True)[count - 1]
    return [row for row in rows if row["sum"] >= least]


def _count(mined: dict[str, Any], summary: Summary) -> None:
    summary.files += 1
    summary.size += mined["size"]
    summary.provisions += mined["provisions"]
    summary.counts[mined["status"]] += 1
    if mined["status"] not in (READ, OTHER):
        summary.problems.append(f"{mined['file']}: {mined['status']}: {mined['message']}")


def _order(row: dict[str, Any]) -> tuple[float, str, int]:
    return -row["sum"], row["facts"].file, row["start"]


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One candidate for equal passages, the strongest first, with the places of all."""
    by_words: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=_order):
        place = {
            "file": row["facts"].file,
            "law": row["facts"].law,
            "article": row["article"],
            "start": row["start"],
            "end": row["end"],
            "sha256": row["sha256"],
        }
        kept = by_words.setdefault(row["fold"], {**row, "places": []})
        kept["places"].append(place)
    return list(by_words.values())


def _finished(rows: list[dict[str, Any]], force: dict[str, InForce]) -> list[dict[str, Any]]:
    return [_finish(row, force[row["facts"].file]) for row in rows]


def _finish(row: dict[str, Any], told: InForce) -> dict[str, Any]:
    facts: LawFacts = row["facts"]
    return {
        "file": facts.file,
        "law": facts.law,
        "title": facts.title,
        "article": row["article"],
        "recommendation": row["recommendation"],
        "score": model().score(RECOMMENDATIONS.index(row["recommendation"]), row["sum"]),
        "start": row["start"],
        "end": row["end"],
        "sha256": row["sha256"],
        "language": facts.language,
        "in_force": told.value,
        "in_force_reason": told.reason,
        "reasons": row["reasons"],
        "places": row["places"],
    }


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.new")


def _write(out: Path, rows: list[dict[str, Any]], summary: Summary) -> None:
    aside = _aside(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".jsonl":
        with aside.open("w", encoding="utf-8") as stream:
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        pa.parquet.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), aside)
    told = out.with_name(f"{out.stem}.summary.json")
    told_aside = _aside(told)
    told_aside.write_text(
        json.dumps(_as_json(summary), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    aside.replace(out)
    told_aside.replace(told)


def _as_json(summary: Summary) -> dict[str, object]:
    told = asdict(summary)
    del told["resumed"]
    return {
        **told,
        "counts": dict(sorted(summary.counts.items())),
        "knowledge": knowledge(),
        "model": model().card.get("version"),
    }


_PLACE = pa.struct(
    [
        ("file", pa.string()),
        ("law", pa.string()),
        ("article", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("sha256", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("law", pa.string()),
        ("title", pa.string()),
        ("article", pa.string()),
        ("recommendation", pa.string()),
        ("score", pa.float64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("sha256", pa.string()),
        ("language", pa.string()),
        ("in_force", pa.bool_()),
        ("in_force_reason", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("places", pa.list_(_PLACE)),
    ]
)
