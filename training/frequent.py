"""Counts how often the words of the lexicons stand in law books, so that the rarer ones are looked for first.

Usage: python training/frequent.py --books FOLDER
Writes src/mercwatch/mining/frequent.json: for each language with a book, words met more than five times in a
megabyte. What is found does not depend on it; only how fast.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import ahocorasick_rs

from mercwatch.mining.lexicon import load, pieces

BOOKS = {
    "ch": "de", "lu": "fr", "se": "sv", "ee": "et", "cz": "cs", "sk": "sk", "ie": "en", "fi": "fi",
    "no": "no", "uy": "es", "gr": "el", "ad": "ca", "ro": "ro",
}  # fmt: skip
_SIZE = 20_000_000
_OFTEN = 5


def counted(folder: Path, language: str) -> dict[str, int]:
    """Words of a lexicon that stand often in a book, with how often in a megabyte."""
    words = sorted(
        {piece.letters for terms in load(language).terms.values() for t in terms for piece in pieces(t)}
    )
    automaton = ahocorasick_rs.BytesAhoCorasick([word.encode() for word in words])
    found: Counter[int] = Counter()
    size = 0
    files = sorted(folder.rglob("*.md"))
    for file in files[:: max(1, len(files) // 2_000)]:
        low = file.read_bytes().decode("utf-8", "replace").lower().encode()
        found.update(n for n, _, _ in automaton.find_matches_as_indexes(low, overlapping=True))
        size += len(low)
        if size > _SIZE:
            break
    rates = {words[n]: round(1_000_000 * count / max(1, size)) for n, count in found.items()}
    return {word: rate for word, rate in sorted(rates.items()) if rate > _OFTEN}


def main() -> None:
    """Count in every book that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("src/mercwatch/mining/frequent.json"))
    asked = parser.parse_args()
    told = {
        lang: counted(asked.books / book, lang)
        for book, lang in BOOKS.items()
        if (asked.books / book).is_dir()
    }
    asked.out.write_text(
        json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
