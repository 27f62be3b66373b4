"""What a term of a lexicon finds in a text, and what it does not."""

from __future__ import annotations

import pytest

from mercwatch.mining.lexicon import Lexicon
from mercwatch.mining.matching import Matcher, lowered


def found(term: str, text: str, language: str = "de") -> list[str]:
    """What one term finds in a text."""
    lexicon = Lexicon.model_validate(
        {
            "language": language,
            "name": "A language",
            "written_by": "person",
            "reviewed_by": "nobody",
            "function_words": [f"word{n}" for n in range(20)],
            "terms": {"export": [term]},
            "tests": [{"says": "Ausfuhr", "finds": ["export"]}] * 10,
        }
    )
    data = text.encode()
    _, hits = Matcher(lexicon, ("text",)).scan(lowered(data))
    return [data[start:end].decode() for _, start, end in sorted(hits, key=lambda hit: hit[1])]


WORDS = " ".join(["wort"] * 6)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("ausfuhr", "Die Ausfuhr."),
        ("ausfuhr", "Ausfuhr"),
        ("ausfuhr*", "Die Ausfuhrbewilligung."),
        ("*bewilligung", "Die Ausfuhrbewilligung."),
        ("*fuhr*", "Die Ausfuhrbewilligung und die Einfuhr."),
        ("ausfuhr von waren", "Die Ausfuhr\nvon   Waren"),
        ("ausfuhr von waren", "die Ausfuhr von\u00a0Waren"),
        ("ausfuhr .. waren", "die Ausfuhr Waren"),
        ("ausfuhr .. waren", f"die Ausfuhr {WORDS} Waren"),
        ("ausfuhr .. waren", "die Ausfuhr gewisser,\nnäher bestimmter Waren"),
        ("ausfuhr* .. *waren", "Ausfuhrverbot für Kriegswaren"),
        ("überwachung*", "ÜBERWACHUNG"),
        ("überwachung*", "Überwachungen"),
        ("экспорт*", "ЭКСПОРТ"),
        ("экспорт*", "Экспорта"),
        ("εξαγωγή*", "ΕΞΑΓΩΓΗ"),
        ("εξαγωγή*", "Εξαγωγής"),
        ("écoute*", "l’écoute"),
        ("écoute*", "l'écoute"),
        ("écoute*", "«Écoutes»"),
        ("écoute*", "« écoutes »"),
        ("écoute*", "(écoute)"),
        ("écoute*", "**Écoute**"),
        ("écoute*", "_écoute_"),
        ("exportation", "l’exportation"),
        ("ausfuhr", "„Ausfuhr“"),
        ("ausfuhr", "Ein- und Ausfuhr/Durchfuhr"),
        ("ausfuhr", "Ausfuhr–Durchfuhr"),
        ("arms export", "Arms-export"),
    ],
)
def test_a_term_is_found(term: str, text: str) -> None:
    assert found(term, text)


@pytest.mark.parametrize("between", [" ", "\n", "\r\n", "-", ", ", "/", "’", "\u00a0"])
def test_two_words_are_found_over_a_break(between: str) -> None:
    assert found("ausfuhr waren", f"Die Ausfuhr{between}Waren")


@pytest.mark.parametrize("between", [",\n", "  ", "\n> ", " **"])
@pytest.mark.xfail(strict=True, reason="two words side by side are looked for with one sign between them")
def test_two_words_are_not_found_yet_over_other_breaks(between: str) -> None:
    assert found("ausfuhr waren", f"Die Ausfuhr{between}Waren")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("ausfuhr", "Die Ausfuhrbewilligung."),
        ("ausfuhr", "Die Wiederausfuhr."),
        ("ausfuhr*", "Die Wiederausfuhr."),
        ("*ausfuhr", "Die Wiederausfuhren."),
        ("fuhr", "Ausfuhrbewilligung"),
        ("ausfuhr von waren", "Ausfuhr von neuen Waren"),
        ("ausfuhr von waren", "Ausfuhr von Warenlagern"),
        ("ausfuhr .. waren", f"die Ausfuhr {WORDS} wort Waren"),
        ("ausfuhr .. waren", "Waren der Ausfuhr"),
        ("ausfuhr .. waren", "die Ausfuhr von Schriftwaren"),
        ("écoute", "réécoute"),
        ("écoute", "écoutés"),
        ("coute*", "écoute"),
        ("экспорт", "импортэкспорт"),
        ("εξαγωγή", "επανεξαγωγή"),
        ("ausfuhr", "Ausfuhr2"),
        ("ausfuhr", ""),
    ],
)
def test_a_term_is_not_found(term: str, text: str) -> None:
    assert found(term, text) == []


def test_a_place_is_the_words_of_the_term_in_the_text() -> None:
    assert found("ausfuhr .. waren", "Für die Ausfuhr bestimmter Waren gilt: AUSFUHR, Waren.") == [
        "Ausfuhr bestimmter Waren",
        "AUSFUHR, Waren",
    ]
    assert found("überwachung*", "«Überwachungen» der ÜBERWACHUNG") == ["Überwachung", "ÜBERWACHUNG"]


def test_japanese_is_read_without_spaces_between_its_words() -> None:
    assert found("輸出", "貨物の輸出を規制する。", "ja") == ["輸出"]
