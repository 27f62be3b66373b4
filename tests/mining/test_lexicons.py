"""The lexicons: each language's file, held to its format and to the sentences that it carries."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mercwatch.mining.lexicon import Concept, Lexicon, LexiconError, check, concepts, languages, load
from mercwatch.mining.proofs import broken

WANTED = "ar bg bs cs da de el en es et fi fr ga he hr hu hy is it ja ka ko lt lv mk mt nl no pl pt ro sk sl sq sr sv tr uk"
CONCEPTS = {"export": Concept.model_validate({"place": "text", "for": ["R2"], "means": "export"})}


def lexicon(*terms: str, language: str = "de", **changes: Any) -> Lexicon:
    """A lexicon of one concept with these terms."""
    given: dict[str, Any] = {
        "language": language,
        "name": "A language",
        "written_by": "person",
        "reviewed_by": "nobody",
        "function_words": [f"word{n}" for n in range(20)],
        "terms": {"export": terms},
        "tests": [{"says": "Ausfuhr von Waren", "finds": ["export"]}] * 10,
    }
    return Lexicon.model_validate(given | changes)


@pytest.mark.parametrize("language", languages())
def test_a_languages_own_sentences_hold(language: str) -> None:
    loaded = load(language)
    assert broken(loaded) == []
    assert loaded.written_by in ("machine", "person") and loaded.reviewed_by in (
        "nobody",
        "machine",
        "person",
    )
    assert set(loaded.terms) == set(concepts())


def test_the_languages_of_the_endorsing_governments_are_there() -> None:
    assert set(WANTED.split()) <= set(languages())


def test_a_sentence_that_does_not_hold_is_named() -> None:
    tests = [{"says": "Die Ausfuhr von Waren", "finds": ["export"]}] * 9
    tests += [
        {"says": "Die Einfuhr von Waren", "finds": ["export"]},
        {"says": "Die Ausfuhr", "not": ["export"]},
    ]
    assert broken(lexicon("ausfuhr*", tests=tests)) == [
        "lexicons/de.yaml: test 10: export is not found",
        "lexicons/de.yaml: test 11: export is found in 'Ausfuhr'",
    ]


@pytest.mark.parametrize(
    ("term", "problem"),
    [
        ("aus*fuhr", "has a star inside a word"),
        ("aus*fuhr von waren", "has a star inside a word"),
        ("Ausfuhr", "is not in lower case"),
        ("ausfuhr  von waren", "single spaces"),
        (" ausfuhr", "single spaces"),
        ("au", "is too short"),
        ("aus*", "is too short"),
        (".. ausfuhr", "has a gap that joins nothing"),
        ("ausfuhr ..", "has a gap that joins nothing"),
        ("ausfuhr .. .. waren", "has a gap that joins nothing"),
    ],
)
def test_a_term_that_breaks_a_rule_is_refused_with_file_and_term(term: str, problem: str) -> None:
    with pytest.raises(LexiconError) as refused:
        check(lexicon("ausfuhr*", term), CONCEPTS, "lexicons/de.yaml")
    assert str(refused.value).startswith(f"lexicons/de.yaml: export: term {term!r} ")
    assert problem in str(refused.value)


def test_terms_of_two_signs_are_words_in_japanese_and_korean_only() -> None:
    for language, term in (("ja", "輸出"), ("ko", "수출")):
        check(lexicon(term, language=language), CONCEPTS, f"lexicons/{language}.yaml")
    with pytest.raises(LexiconError, match="too short"):
        check(lexicon("輸出"), CONCEPTS, "lexicons/de.yaml")


def test_unknown_and_missing_concepts_are_refused() -> None:
    unknown = lexicon(terms={"export": ["ausfuhr*"], "exprot": ["ausfuhr*"]})
    with pytest.raises(LexiconError, match=r"lexicons/de\.yaml: .*exprot"):
        check(unknown, CONCEPTS, "lexicons/de.yaml")
    with pytest.raises(LexiconError, match=r"lexicons/de\.yaml: .*concepts without terms: \['export'\]"):
        check(lexicon(terms={}), CONCEPTS, "lexicons/de.yaml")
    tests = [{"says": "Ausfuhr", "finds": ["exprot"]}] * 10
    with pytest.raises(LexiconError, match="test 1 names the unknown concept 'exprot'"):
        check(lexicon("ausfuhr*", tests=tests), CONCEPTS, "lexicons/de.yaml")


@pytest.mark.parametrize(
    "changes",
    [
        {"tests": []},
        {"function_words": ["der"]},
        {"reviewed_by": "a friend"},
        {"written_by": None},
        {"extra": 1},
    ],
)
def test_a_lexicon_without_its_proofs_or_its_makers_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lexicon("ausfuhr*", **changes)


def test_a_language_without_a_lexicon_is_named() -> None:
    with pytest.raises(LexiconError, match=r"lexicons/xx\.yaml"):
        load("xx")
