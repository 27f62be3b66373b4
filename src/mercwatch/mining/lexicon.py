"""Lexicons: what the law of a language calls each concept, read from YAML and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

RECOMMENDATIONS = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")
Place = Literal["text", "heading", "title", "unrelated"]
GAP = ".."
UNSPACED = frozenset({"ja"})
"""Languages written without spaces between words: a term is a run of characters there."""

_WORD = re.compile(r"^\*?[^\s*]+\*?$")


class LexiconError(Exception):
    """A lexicon file breaks a rule; says which file, where and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Concept(_Strict):
    """One thing that a provision can speak of, whatever its language."""

    place: Place
    for_: tuple[Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7"], ...] = Field(alias="for")
    means: str
    telling: bool = False


class Domain(_Strict):
    """What a law or a part of it is about: told by its titles, and by concepts that fill it."""

    titles: tuple[str, ...]
    concepts: tuple[str, ...]


class Sentence(_Strict):
    """A made-up sentence, or title of a law, and what the lexicon must and must not find in it."""

    says: str = ""
    title: str = ""
    finds: tuple[str, ...] = ()
    not_: tuple[str, ...] = Field(default=(), alias="not")

    @model_validator(mode="after")
    def _one_text(self) -> Sentence:
        if bool(self.says) == bool(self.title):
            raise ValueError("a test has either says or title")
        return self


Word = Annotated[str, Field(min_length=2, pattern=r"^\S+$")]


class Lexicon(_Strict):
    """The terms of one language, as its file gives them."""

    language: str
    name: str
    written_by: Literal["machine", "person"]
    reviewed_by: Literal["nobody", "machine", "person"]
    function_words: tuple[str, ...] = Field(min_length=20)
    terms: dict[str, tuple[str, ...]]
    tests: tuple[Sentence, ...] = Field(min_length=10)


@dataclass(frozen=True)
class Piece:
    """One word of a term: its letters, and whether more may stand before or after them."""

    letters: str
    open_start: bool
    open_end: bool
    after_gap: bool


def pieces(term: str) -> tuple[Piece, ...]:
    """Split a term into words; `..` before a word lets other words stand between."""
    found: list[Piece] = []
    gap = False
    for word in term.split(" "):
        if word == GAP:
            gap = True
            continue
        found.append(Piece(word.strip("*"), word.startswith("*"), word.endswith("*"), gap))
        gap = False
    return tuple(found)


def _problems_of_term(term: str, language: str) -> str:
    if term != term.lower() or term != " ".join(term.split()):
        return "is not in lower case with single spaces"
    words = term.split(" ")
    if words[0] == GAP or words[-1] == GAP or (GAP, GAP) in pairwise(words):
        return "has a gap that joins nothing"
    least = 2 if language in {"ja", "ko"} else 3
    for word in words:
        if word == GAP:
            continue
        if not _WORD.match(word):
            return "has a star inside a word"
        if len(words) == 1 and len(word.strip("*")) < (least + 1 if "*" in word and least == 3 else least):
            return "is too short to be told from other words"
    return ""


def check(lexicon: Lexicon, concepts: dict[str, Concept], file: str) -> None:
    """Raise LexiconError where a term or concept breaks the rules of docs/mining.md."""
    missing = [name for name in concepts if not lexicon.terms.get(name)]
    unknown = [name for name in lexicon.terms if name not in concepts]
    if missing or unknown:
        raise LexiconError(f"{file}: concepts without terms: {missing}; unknown concepts: {unknown}")
    for concept, terms in lexicon.terms.items():
        for term in terms:
            problem = _problems_of_term(term, lexicon.language)
            if problem:
                raise LexiconError(f"{file}: {concept}: term {term!r} {problem}")
    for number, test in enumerate(lexicon.tests, 1):
        for name in (*test.finds, *test.not_):
            if name not in concepts:
                raise LexiconError(f"{file}: test {number} names the unknown concept {name!r}")


def _folder() -> Traversable:
    return resources.files("mercwatch.mining") / "lexicons"


def _read(name: str) -> object:
    try:
        text = (_folder() / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LexiconError(f"lexicons/{name}: there is no such file") from None
    try:
        return yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise LexiconError(f"lexicons/{name}: {error}") from None


@cache
def concepts() -> dict[str, Concept]:
    """All concepts by name, in the order of lexicons/concepts.yaml."""
    data = _read("concepts.yaml")
    if not isinstance(data, dict):
        raise LexiconError("lexicons/concepts.yaml: has no concepts")
    return {name: Concept.model_validate(body) for name, body in data["concepts"].items()}


@cache
def concept_numbers() -> dict[str, int]:
    """The number of each concept: its place in lexicons/concepts.yaml."""
    return {name: number for number, name in enumerate(concepts())}


@cache
def domains() -> dict[str, Domain]:
    """All domains by name, in their order in concepts.yaml; LexiconError on an unknown concept."""
    data = _read("concepts.yaml")
    found = {name: Domain.model_validate(body) for name, body in data["domains"].items()}  # type: ignore[index]
    for name, domain in found.items():
        unknown = [c for c in (*domain.titles, *domain.concepts) if c not in concepts()]
        if unknown:
            raise LexiconError(f"lexicons/concepts.yaml: domain {name}: unknown concepts {unknown}")
    return found


@cache
def languages() -> tuple[str, ...]:
    """Codes (ISO 639-1) of the languages that have a lexicon, sorted."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(
        sorted(n.removesuffix(".yaml") for n in names if n.endswith(".yaml") and n != "concepts.yaml")
    )


@cache
def function_words(language: str) -> tuple[str, ...]:
    """A language's little words, read from the head of its file without its terms."""
    head = (_folder() / f"{language}.yaml").read_text(encoding="utf-8").partition("\nterms:")[0]
    data = yaml.load(head, yaml.CSafeLoader)
    return tuple(map(str, data["function_words"]))


@cache
def load(language: str) -> Lexicon:
    """The checked lexicon of one language; raises LexiconError."""
    file = f"{language}.yaml"
    data = _read(file)
    try:
        lexicon = Lexicon.model_validate(data)
    except ValidationError as error:
        raise LexiconError(f"lexicons/{file}: {error}") from None
    if lexicon.language != language:
        raise LexiconError(f"lexicons/{file}: language says {lexicon.language!r}")
    check(lexicon, concepts(), f"lexicons/{file}")
    return lexicon
