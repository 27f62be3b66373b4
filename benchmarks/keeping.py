"""Measures the capture room: captures per second, reading, archive size, a large catalogue, memory.

Prints, asserts nothing. Every figure stands beside a floor that was measured in the same run, in turns with
it: figures are medians of the rounds, a ratio is the median of the rounds' ratios. Pages, PDFs and law books
are real ones of this machine (--pages, --pdfs: other folders of them).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import htmldate
import httpx
import pypdfium2
import trafilatura
from benchmarks import documents
from benchmarks.documents import Document

from mercwatch.capture.archive import Archive
from mercwatch.capture.asking import Rules
from mercwatch.capture.fetching import Fetcher, Validators
from mercwatch.capture.readers import jobs, wire
from mercwatch.capture.reading import ReadError, Reading
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import take
from mercwatch.site.capturing import fetch_all

RULES = Rules(contact="bench@mercwatch.example", loopback=True, pace=0)
DAY = "2026-11-24"
HERE = "https://gazette.example/acts/7"
SAME_OPTIONS: dict[str, Any] = {
    "favor_recall": True,
    "include_comments": False,
    "include_tables": True,
    "include_formatting": False,
}
"""What our reader asks of trafilatura."""
OURS = "our reader in this process (text, title, day, links, pieces)"
WALLED = "Sandbox.read"
IDLE = "the sandbox with a job that does nothing"
PROGRAM = Path(sys.executable).with_name("mercwatch")

Work = Callable[[], object]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    pages: int
    read: int
    rounds: int
    pdfs: int
    printed: int
    laws: int
    catalogue: int
    fsynced: int


FULL = Size(pages=300, read=30, rounds=3, pdfs=40, printed=3, laws=60, catalogue=100_000, fsynced=500)
QUICK = Size(pages=40, read=10, rounds=1, pdfs=5, printed=1, laws=20, catalogue=5_000, fsynced=50)


def in_turns(works: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Seconds of each work in each round; in a round each is done once, so that noise hits all alike."""
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            took[name].append(time.perf_counter() - began)
    return took


def table(words: str, took: dict[str, list[float]], amount: float, unit: str, floors: int = 1) -> None:
    """Print each work's median rate, and how many times as long it takes as the floors, the first works."""
    least = list(took.values())[:floors]
    letters = [chr(ord("A") + number) for number in range(floors)] + [" "] * (len(took) - floors)
    print(
        f"\n{words}\n  {'':<64} {unit:>10}"
        + "".join(f" {f'times {letter}':>9}" for letter in letters[:floors])
    )
    for letter, (name, seconds) in zip(letters, took.items(), strict=True):
        rate = amount / statistics.median(seconds)
        shown = f"{rate:10,.2f}" if rate < 100 else f"{rate:10,.0f}"
        times = [statistics.median(m / f for m, f in zip(seconds, floor, strict=True)) for floor in least]
        print(f"  {letter} {name:<62} {shown}" + "".join(f" {ratio:9.2f}" for ratio in times))


def drawn(things: list[Document], count: int) -> list[Document]:
    """Some of them, the same ones each time."""
    return random.Random(7).sample(things, min(count, len(things)))  # noqa: S311 - a draw, no secret


# Captures per second


def _with_httpx(addresses: list[str], keep_alive: bool) -> None:
    limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
    with httpx.Client(trust_env=False, limits=limits) as client:
        for address in addresses:
            client.get(address).raise_for_status()


def _fetch_only(addresses: list[str]) -> None:
    fetcher = Fetcher(RULES)
    for address in addresses:
        fetcher.fetch(address)


def _keep(addresses: list[str], folder: Path, conditional: bool = False) -> None:
    fetcher = Fetcher(RULES)
    with Archive.open(folder, write=True) as archive:
        for address in addresses:
            archive.keep(fetcher.fetch(address, _known(archive, address) if conditional else None))


def _known(archive: Archive, address: str) -> Validators | None:
    kept = archive.newest(address)
    return Validators(kept.etag, kept.last_modified) if kept else None


def _keep_side_by_side(addresses: list[str], folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        for outcome in fetch_all(Fetcher(RULES), addresses, lambda _: None):
            if outcome.fetched is None:
                raise SystemExit(f"{outcome.address}: {outcome.error}")
            archive.keep(outcome.fetched)


def _take(addresses: list[str], folder: Path, sandbox: Sandbox) -> None:
    fetcher = Fetcher(RULES)
    with Archive.open(folder, write=True) as archive:
        for address in addresses:
            take(fetcher.fetch(address), archive, sandbox.read)


def _take_side_by_side(addresses: list[str], folder: Path, sandbox: Sandbox) -> None:
    with Archive.open(folder, write=True) as archive:
        for outcome in fetch_all(Fetcher(RULES), addresses, lambda _: None):
            if outcome.fetched is not None:
                take(outcome.fetched, archive, sandbox.read)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def captures(addresses: list[str], size: Size, place: Path) -> None:
    """Fetching, keeping and reading against httpx that keeps nothing. Each work makes its client anew."""
    works: dict[str, Work] = {
        "httpx, connections kept alive, nothing kept": lambda: _with_httpx(addresses, True),
        "httpx, a connection each, nothing kept": lambda: _with_httpx(addresses, False),
        "Fetcher alone, nothing kept": lambda: _fetch_only(addresses),
        "Fetcher, Archive.keep": lambda: _keep(addresses, _fresh(place / "kept")),
        "the same again, served in full (revisits)": lambda: _keep(addresses, place / "kept"),
        "the same again, asked conditionally (304, revisits)": lambda: _keep(addresses, place / "kept", True),
        "fetch_all of 4 hosts, Archive.keep": lambda: _keep_side_by_side(addresses, _fresh(place / "side")),
    }
    words = f"1. Captures, {len(addresses)} pages, one after another, robots on, pace 0"
    table(words, in_turns(works, size.rounds), len(addresses), "captures/s", 2)
    some = random.Random(7).sample(addresses, size.read)  # noqa: S311 - a draw, no secret
    with Sandbox() as sandbox:
        sandbox.read(b"One.\n", "text/plain", HERE, DAY)  # starts its child
        works = {
            "httpx, connections kept alive, nothing kept": lambda: _with_httpx(some, True),
            "httpx, a connection each, nothing kept": lambda: _with_httpx(some, False),
            "take: fetched, read, kept, its text kept": lambda: _take(some, _fresh(place / "taken"), sandbox),
            "fetch_all of 4 hosts, take": lambda: _take_side_by_side(some, _fresh(place / "taken"), sandbox),
        }
        words = f"   Captures with reading, {len(some)} of these pages"
        table(words, in_turns(works, size.rounds), len(some), "captures/s", 2)


# Reading


def _each(things: list[Document], work: Callable[[Document], object]) -> Work:
    return lambda: [work(thing) for thing in things]


def _in_sandbox(sandbox: Sandbox, problems: Counter[str]) -> Callable[[Document], object]:
    def read(document: Document) -> None:
        try:
            sandbox.read(document.body, document.media_type, HERE, DAY)
        except ReadError as error:
            problems[str(error)] += 1

    return read


def _in_process(document: Document) -> Reading:
    return jobs.read(document.body, document.media_type, HERE, DAY)


def _extract(document: Document) -> object:
    return trafilatura.extract(document.body, **SAME_OPTIONS)


def _extract_and_day(document: Document) -> object:
    tree = trafilatura.load_html(document.body)
    day = htmldate.find_date(tree, original_date=True, extensive_search=False, max_date=DAY, url=HERE)
    return trafilatura.extract(tree, **SAME_OPTIONS), day


def _pdfium(document: Document) -> int:
    pdf = pypdfium2.PdfDocument(document.body)
    return sum(len(pdf[number].get_textpage().get_text_range()) for number in range(len(pdf)))


def _told(problems: Counter[str], rounds: int) -> None:
    for problem, count in problems.most_common(5):
        print(f"  NOT READ, {count // rounds}: {problem}")


def _megabytes(things: list[Document]) -> float:
    return sum(len(thing.body) for thing in things) / 1e6


def reading(
    pages: list[Document], pdfs: list[Document], laws: list[Document], size: Size, place: Path
) -> None:
    """The sandbox's readers against the libraries' own calls in this process; and what the walls cost."""
    jobs.warm()
    with Sandbox() as sandbox, Sandbox(jobs="benchmarks.documents") as idle:
        for one in (sandbox, idle):
            one.read(b"One.\n", "text/plain", HERE, DAY)  # starts its child
        _html(drawn(pages, size.read), sandbox, idle, size.rounds)
        if pdfs:
            _pdf(pdfs, sandbox, idle, size.rounds)
        if laws:
            _laws(laws, sandbox, idle, size.rounds, place)


def _ours(things: list[Document], sandbox: Sandbox, idle: Sandbox, problems: Counter[str]) -> dict[str, Work]:
    return {
        OURS: _each(things, _in_process),
        WALLED: _each(things, _in_sandbox(sandbox, problems)),
        IDLE: _each(things, _in_sandbox(idle, problems)),
    }


def _html(some: list[Document], sandbox: Sandbox, idle: Sandbox, rounds: int) -> None:
    problems: Counter[str] = Counter()
    works: dict[str, Work] = {
        "trafilatura.extract, our options": _each(some, _extract),
        "trafilatura.extract, its defaults": _each(some, lambda page: trafilatura.extract(page.body)),
        "trafilatura.extract, our options, and htmldate.find_date": _each(some, _extract_and_day),
        **_ours(some, sandbox, idle, problems),
    }
    took = in_turns(works, rounds)
    table(f"2. Reading HTML, {len(some)} pages, {_megabytes(some):.2f} MB", took, _megabytes(some), "MB/s", 3)
    _told(problems, rounds)
    _say_where_time_goes(some, took, rounds)


def _say_where_time_goes(some: list[Document], took: dict[str, list[float]], rounds: int) -> None:
    made = [_in_process(page) for page in some]
    packed = [wire.pack(reading) for reading in made]
    took |= in_turns(
        {
            "pack": lambda: [wire.pack(reading) for reading in made],
            "unpack": lambda: [wire.unpack_reading(data) for data in packed],
        },
        rounds,
    )
    each = {name: 1e3 * statistics.median(seconds) / len(some) for name, seconds in took.items()}
    print(
        f"  of a page's {each[WALLED]:.1f} ms: {each[OURS]:.1f} the reader's work, {each[IDLE]:.1f} fork and "
        f"walls, {each['pack']:.2f} its answer packed, {each['unpack']:.2f} checked and unpacked"
    )


def _pdf(pdfs: list[Document], sandbox: Sandbox, idle: Sandbox, rounds: int) -> None:
    problems: Counter[str] = Counter()
    count = sum(len(pypdfium2.PdfDocument(pdf.body)) for pdf in pdfs)
    works: dict[str, Work] = {"pypdfium2, the text of each page": _each(pdfs, _pdfium)}
    took = in_turns({**works, **_ours(pdfs, sandbox, idle, problems)}, rounds)
    words = f"   Reading PDF, {len(pdfs)} files, {count} pages, {_megabytes(pdfs):.2f} MB"
    table(words, took, _megabytes(pdfs), "MB/s")
    print(f"  Sandbox.read: {count / statistics.median(took[WALLED]):,.0f} pages a second")
    _told(problems, rounds)


def _laws(laws: list[Document], sandbox: Sandbox, idle: Sandbox, rounds: int, place: Path) -> None:
    problems: Counter[str] = Counter()
    paths = [place / f"law-{number}.md" for number in range(len(laws))]
    for path, law in zip(paths, laws, strict=True):
        path.write_bytes(law.body)
    works: dict[str, Work] = {
        "a file read and decoded": lambda: [path.read_bytes().decode("utf-8", "replace") for path in paths]
    }
    took = in_turns({**works, **_ours(laws, sandbox, idle, problems)}, rounds)
    words = f"   Reading law books, {len(laws)} laws, {_megabytes(laws):.2f} MB"
    table(words, took, _megabytes(laws), "MB/s")
    _told(problems, rounds)


# Size


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sizes(pages: list[Document], addresses: list[str], place: Path) -> None:
    """Bytes of the archive against bytes served: distinct pages, the same again in full, and by 304."""
    folder = place / "sizes"
    served = 0
    fetcher = Fetcher(RULES)
    with Archive.open(folder, write=True) as archive:
        for address in addresses:
            fetched = fetcher.fetch(address)
            served += sum(len(hop.response) for hop in fetched.exchanges)
            archive.keep(fetched)
    packed = sum(len(zlib.compress(page.body)) for page in pages)
    steps = [("distinct pages", _bytes_in(folder / "warc"))]
    for name, conditional in (("the same again, served in full", False), ("the same again, 304", True)):
        _keep(addresses, folder, conditional)
        steps.append((name, _bytes_in(folder / "warc") - sum(size for _, size in steps)))
    print(f"\n3. Size of the WARC files, {len(addresses)} pages, {served / 1e6:.2f} MB served with heads")
    print(f"  floor: each body packed by zlib alone: {packed / served:.3f} of the bytes served")
    for name, size in steps:
        print(
            f"  {name:<32} {size / 1e6:8.2f} MB = {size / served:.3f} of the bytes served, "
            f"{size / packed:.3f} times the floor, {size / len(addresses):,.0f} bytes a capture"
        )
    rest = (folder / "catalogue.sqlite3").stat().st_size
    print(f"  the catalogue, {3 * len(addresses)} captures: {rest / 1e6:.2f} MB")


# A large catalogue


def catalogue(size: Size, place: Path) -> None:
    """Finding one capture among many, by address and by hash."""
    folder = place / "many"
    moment = f"{DAY}T12:00:00Z"
    names = [
        f"https://gazette-{n % 2_000}.example/acts/{n // 2_000}/text-of-the-act"
        for n in range(size.catalogue)
    ]
    with Archive.open(folder, write=True) as archive:
        first = names[: size.fsynced]
        took = in_turns(
            {
                "half a kilobyte written and flushed to the disk, twice": lambda: _synced(
                    place / "floor", len(first)
                ),
                "Archive.keep_file": lambda: [
                    archive.keep_file(name.encode(), "text/plain", name, moment) for name in first
                ],
            },
            1,
        )
        like = archive.all()[0]
        with archive._database:
            for number, name in enumerate(names[size.fsynced :]):
                payload = f"sha256:{number:052d}"
                archive._insert(
                    replace(like, asked=name, address=name, sha256=f"{number:064x}", payload=payload)
                )
        count = len(archive)
    table(f"4. A catalogue of {count:,} captures", took, size.fsynced, "captures/s")
    print(
        f"  {count - size.fsynced:,} of them entered only into the catalogue, by its own insert, all at once"
    )
    _look_up(folder, names)


def _synced(path: Path, times: int) -> None:
    with path.open("wb") as stream:
        for _ in range(2 * times):
            stream.write(b"A line of about the length that a record has in a WARC file.\n" * 8)
            stream.flush()
            os.fsync(stream.fileno())


def _look_up(folder: Path, names: list[str]) -> None:
    draw = random.Random(7)  # noqa: S311 - a draw, no secret
    some = [draw.choice(names) for _ in range(1_000)]
    for mode in (False, True):
        began = time.perf_counter()
        with Archive.open(folder, write=mode):
            took = time.perf_counter() - began
        print(f"  opened to {'write' if mode else 'read'}: {1e3 * took:.2f} ms")
    with (
        Archive.open(folder) as archive,
        closing(sqlite3.connect(folder / "catalogue.sqlite3")) as database,
    ):
        hashes = [kept.sha256 for kept in draw.sample(archive.all(), 1_000)]
        query = "SELECT number FROM capture WHERE asked = ? ORDER BY number DESC LIMIT 1"
        floor = _each_took(some, lambda name: database.execute(query, (name,)).fetchone())
        for name, times in (
            ("floor: one indexed number by SQLite's own call", floor),
            ("Archive.newest(address)", _each_took(some, archive.newest)),
            ("Archive.of(address)", _each_took(some, archive.of)),
            ("Archive.with_sha256(hash)", _each_took(hashes, archive.with_sha256)),
        ):
            middle, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            print(
                f"  {name:<62} median {1e6 * middle:7.1f} µs, p95 {1e6 * high:7.1f} µs, "
                f"{middle / statistics.median(floor):.1f} times the floor"
            )


def _each_took(things: list[str], work: Callable[[str], object]) -> list[float]:
    took = []
    for thing in things:
        began = time.perf_counter()
        work(thing)
        took.append(time.perf_counter() - began)
    return took


# Memory


def _status(pid: int, field: str) -> int:
    """A figure of a process in bytes; 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith(field)), 0)


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def memory(addresses: list[str], place: Path) -> None:
    """Peaks of the real command over one page and over all: its own, its sandbox's, a document's fork's."""
    print("\n5. Memory of `mercwatch capture`: peaks (VmHWM, looked at every 20 ms)")
    for name, some in (("A", addresses[:1]), (" ", addresses)):
        began = time.perf_counter()
        peaks, said = _peaks(some, place / f"memory-{len(some)}")
        seconds = time.perf_counter() - began
        told = ", ".join(f"{what} {peak / 2**20:.0f} MiB" for what, peak in peaks.items())
        print(f"  {name} {len(some):>3} pages, {seconds:.1f} s with its start: {told}; {said}")
    texts, kept = (_bytes_in(place / f"memory-{len(addresses)}" / name) for name in ("texts", "warc"))
    print(f"  texts that the readers made: {texts / 1e6:.2f} MB beside {kept / 1e6:.2f} MB of WARC files")


def _peaks(addresses: list[str], folder: Path) -> tuple[dict[str, int], str]:
    """Peaks in bytes of one run of the command, and the last line that it says."""
    told = {
        **os.environ,
        "MERCWATCH_DB": f"{folder}.sqlite3",
        "MERCWATCH_ARCHIVE": str(folder),
        "MERCWATCH_CAPTURE_LOOPBACK": "yes",
        "MERCWATCH_CONTACT": RULES.contact,
    }
    command = [str(PROGRAM), "capture", "--pace", "0", *addresses]
    with Path(f"{folder}.txt").open("w+") as said:
        process = subprocess.Popen(command, env=told, stdout=said, stderr=subprocess.STDOUT)
        peaks = dict.fromkeys(("the command", "its sandbox", "a document's fork"), 0)
        while process.poll() is None:
            children = _children(process.pid)
            forks = [fork for child in children for fork in _children(child)]
            for name, pids in zip(peaks, ([process.pid], children, forks), strict=True):
                peaks[name] = max([peaks[name], *(_status(pid, "VmHWM") for pid in pids)])
            time.sleep(0.02)  # looking slows what is looked at
        said.seek(0)
        lines = said.read().splitlines() or [""]
    unread = sum("not read as text" in line for line in lines)
    return peaks, lines[-1] + (f" NOT READ: {unread}." if unread else "")


def described(what: str, things: list[Document]) -> str:
    """What was measured with, in a line."""
    lengths = sorted(len(thing.body) for thing in things)
    if not lengths:
        return f"{what}: none found"
    origins = Counter(
        str(Path(*Path(thing.name).parts[:4])) if thing.name.startswith("/") else "the law book"
        for thing in things
    )
    where = ", ".join(f"{name} {count}" for name, count in origins.most_common(6))
    middle = lengths[len(lengths) // 2]
    return f"{what}: {len(things)}, {lengths[0]:,} to {lengths[-1]:,} bytes, median {middle:,}; {where}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few documents: to see that it runs")
    parser.add_argument("--pages", type=Path, action="append", help="a folder of HTML files")
    parser.add_argument("--pdfs", type=Path, action="append", help="a folder of PDF files")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    pages = documents.pages(asked.pages or documents.FOLDERS, size.pages)
    if not pages:
        raise SystemExit(
            f"no pages here: give --pages FOLDER, or put the law books into {documents.SHARED}/corpora"
        )
    pdfs = documents.pdfs(asked.pdfs or [Path("/usr/share/doc")], size.pdfs, size.printed)
    laws = list(documents.law_books(size.laws))
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.2f} at the start")
    for what, things in (("pages", pages), ("PDFs", pdfs), ("laws", laws)):
        print(described(what, things))
    place = Path(tempfile.mkdtemp(prefix="mercwatch-bench-"))
    try:
        with documents.served(pages) as addresses:
            captures(addresses, size, place)
            reading(pages, pdfs, laws, size, place)
            sizes(pages, addresses, place)
            catalogue(size, place)
            memory(addresses, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"\nload {os.getloadavg()[0]:.2f} at the end")


if __name__ == "__main__":
    main()
