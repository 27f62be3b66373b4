"""Measures the miner: time against the floor and tantivy, memory, growth, Ray, and quality on the gold.

Prints, asserts nothing. The law books are read from --books (default: unpacked from ../shared/corpora).
The floor reads the same files, decodes, splits into provisions and lower-cases, nothing else, with as many
processes as the miner uses.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import tantivy

from mercwatch.capture import law as laws
from mercwatch.mining.engine import workers
from mercwatch.mining.lexicon import RECOMMENDATIONS
from mercwatch.mining.model import model

SHARED = Path(__file__).resolve().parents[2] / "shared"
ARTICLE = re.compile(r"(?m)^(?:[#*> \t]*)(?=Art|§|\d+ §)")
PROGRAM = Path(sys.executable).with_name("mercwatch")


def files_of(folder: Path) -> list[Path]:
    """The laws of a book, in one order."""
    return sorted(folder.rglob("*.md"))


def _plain_floor(paths: list[str]) -> int:
    count = 0
    for path in paths:
        text = Path(path).read_bytes().decode("utf-8", "replace")
        count += len([part.lower() for part in ARTICLE.split(text)])
    return count


def _same_split_floor(paths: list[str]) -> int:
    count = 0
    for path in paths:
        data = Path(path).read_bytes()
        low = data.lower()
        found = laws.split(data, low, 0, laws.marks_of(low))
        count += len([data[p.start : p.end].decode("utf-8", "replace").lower() for p in found])
    return count


def timed_floor(folder: Path, same_split: bool) -> float:
    """Seconds that the floor takes. same_split: with the miner's splitter, else one regular expression."""
    paths = [str(p) for p in files_of(folder)]
    parts = [paths[n : n + 64] for n in range(0, len(paths), 64)]
    began = time.perf_counter()
    with ProcessPoolExecutor(workers()) as pool:
        list(pool.map(_same_split_floor if same_split else _plain_floor, parts))
    return time.perf_counter() - began


def _tree_rss(pid: int) -> int:
    """Bytes resident of a process and all below it (proportional share, so that shared pages count once)."""
    total, waiting = 0, [pid]
    while waiting:
        at = waiting.pop()
        try:
            for line in Path(f"/proc/{at}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for task in Path(f"/proc/{at}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return total


def timed_mine(folder: Path, out: Path, *more: str) -> tuple[float, int]:
    """Seconds and peak bytes of the whole process tree of one `mercwatch mine`."""
    command = [str(PROGRAM), "mine", str(folder), "--out", str(out), *more]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _tree_rss(process.pid))
        time.sleep(0.5)  # reading /proc slows the measured process
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - began, peak


def passages_of(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Every provision of a book: file, article, text."""
    for path in files_of(folder):
        data = path.read_bytes()
        low = data.lower()
        for found in laws.split(data, low, 0, laws.marks_of(low)):
            yield path.name, found.label, data[found.start : found.end].decode("utf-8", "replace")


QUERIES = {
    "german": "überwachung abhören nachrichtendienst ausfuhr beschaffung ausschluss sanktionen aufsicht",
    "french": "surveillance écoute renseignement exportation marchés exclusion sanctions contrôle",
}


def timed_tantivy(folder: Path, language: str) -> float:
    """Seconds to index the same passages with tantivy (stemmed) and to ask a query for each of R1 to R7."""
    passages = list(passages_of(folder))
    schema = tantivy.SchemaBuilder()
    for name in ("file", "article"):
        schema.add_text_field(name, stored=True, tokenizer_name="raw")
    schema.add_text_field("text", stored=False, tokenizer_name="stemmed")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        index = tantivy.Index(schema.build(), path=place)
        analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        analyzer = analyzer.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.stemmer(language))
        index.register_tokenizer("stemmed", analyzer.build())
        writer = index.writer(256_000_000, workers())
        for file, article, text in passages:
            writer.add_document(tantivy.Document(file=file, article=article, text=text))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        searcher = index.searcher()
        for _ in RECOMMENDATIONS:
            searcher.search(index.parse_query(QUERIES[language], ["text"]), 1_000)
    return time.perf_counter() - began


def copies(folder: Path, into: Path, times: int) -> Path:
    """A book of the same laws so many times over, by hard links."""
    target = into / f"times-{times}"
    for number in range(times):
        for path in files_of(folder):
            link = target / str(number) / path.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, link)
    return target


def unpacked(into: Path) -> dict[str, Path]:
    """Both law books, unpacked."""
    for country in ("ch", "lu"):
        with tarfile.open(SHARED / "corpora" / f"laws-{country}.tar.xz") as tar:
            tar.extractall(into, filter="data")
    return {country: into / country for country in ("ch", "lu")}


def quality(book: Path, out: Path, gold: Path) -> None:
    """Print score.py's table for a ranking."""
    told = subprocess.run(
        [sys.executable, SHARED / "gold" / "score.py", out, gold], check=False, capture_output=True, text=True
    )
    print(told.stdout or told.stderr)


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--books", type=Path, help="folder that holds ch/ and lu/")
    parser.add_argument("--ray", action="store_true", help="also run on Ray and compare the rows")
    parser.add_argument("--growth", action="store_true", help="also 1, 2 and 4 times the Swiss book")
    asked = parser.parse_args()
    if not asked.books and not (SHARED / "corpora").is_dir():
        raise SystemExit(f"needs the law books: --books FOLDER, or {SHARED}/corpora")
    place = Path(tempfile.mkdtemp(prefix="mercwatch-bench-", dir=asked.books))
    try:
        books = {c: asked.books / c for c in ("ch", "lu")} if asked.books else unpacked(place)
        for country, language in (("ch", "german"), ("lu", "french")):
            measure(country, language, books[country], place)
        if asked.growth:
            growth(books["ch"], place)
        if asked.ray:
            on_ray(books["ch"], place)
        card = model().card
        print("Leave-one-country-out, from the model's card (R2@200, R2@500, nDCG@100):")
        for country, values in card["leave_one_country_out"].items():  # type: ignore[attr-defined]
            print(f"  {country}: {values['mean']}")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def measure(country: str, language: str, book: Path, place: Path) -> None:
    """One book: floors, the miner, tantivy, memory, quality."""
    size = sum(p.stat().st_size for p in files_of(book))
    out = place / f"{country}.jsonl"
    plain, same = timed_floor(book, False), timed_floor(book, True)
    seconds, peak = timed_mine(book, out)
    peer = timed_tantivy(book, language)
    print(f"{country}: {len(files_of(book)):,} laws, {size / 1e6:.0f} MB, {workers()} processes")
    print(f"  floor (read, decode, split by one expression, lower-case): {plain:.2f} s")
    print(f"  floor with the miner's own splitter: {same:.2f} s")
    print(f"  mine: {seconds:.2f} s = {seconds / plain:.2f} and {seconds / same:.2f} times the floors")
    print(
        f"  tantivy, index the passages, ask 7 queries: {peer:.2f} s; mine takes {seconds / peer:.2f} of it"
    )
    print(f"  peak of the process tree (Pss): {peak / 2**20:.0f} MiB")
    quality(book, out, SHARED / "gold" / f"laws-{country}.jsonl")


def growth(book: Path, place: Path) -> None:
    """Time at 1, 2 and 4 times the bytes."""
    for times in (1, 2, 4):
        many = copies(book, place, times)
        seconds, peak = timed_mine(many, place / "growth.jsonl")
        print(f"growth {times}x: {seconds:.2f} s, {peak / 2**20:.0f} MiB")
        shutil.rmtree(many)


def on_ray(book: Path, place: Path) -> None:
    """The same book on Daft's Ray runner; its rows against the local ones."""
    local, ray = place / "local.jsonl", place / "ray.jsonl"
    timed_mine(book, local)
    seconds, _ = timed_mine(book, ray, "--engine", "ray")
    same = local.read_bytes() == ray.read_bytes()
    rows = sum(1 for _ in local.open())
    print(f"Ray: {seconds:.2f} s, {rows} rows, {'identical' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
    print(json.dumps({"own_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
