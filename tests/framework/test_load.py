"""A codebook file is loaded whole, or every problem in it is named with file, line and rule."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mercwatch.framework.load import (
    FOLDER,
    SCHEMA,
    CodebookError,
    digest,
    guide,
    load,
    load_file,
    schema_text,
)

SMALL = """\
version: 1.0.0
published: "2026-11-24"
reading: A working reading.
capabilities:
  - {id: spyware, title: Spyware, meaning: Tools.}
agencies:
  - {id: defence, title: Defence, meaning: Forces.}
not_applicable_reasons:
  - {id: none-there, title: None there, meaning: Nothing to judge.}
recommendations:
  - {id: R1, title: Rules, addressees: [government], asks: Rules.}
indicators:
  - id: R1.1
    meaning: 1
    title: A rule
    question: Is there a rule?
    kind: ladder
    window_months: 36
    top_needs_application: true
    levels:
      - {level: 1, stage: committed, test: A promise.}
      - {level: 2, stage: in_force, test: A rule.}
      - {level: 3, stage: applied, test: A use., windowed: true}
    counts: [A law]
    does_not_count: [A rumour]
    documents: [The gazette]
    not_applicable: [none-there]
"""

Write = Callable[[str], Path]


@pytest.fixture
def draft(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "draft.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_sound_file_loads(draft: Write) -> None:
    assert load_file(draft(SMALL)).by_id["R1.1"].top == 3


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("title: A rule", "titel: A rule", "draft.yaml:13: indicators.R1.1.title: Field required"),
        ("title: A rule", "titel: A rule", "draft.yaml:15: indicators.R1.1.titel: Extra inputs"),
        ("meaning: 1", 'meaning: "1"', "draft.yaml:14: indicators.R1.1.meaning: Input should be a valid int"),
        ("question: Is there a rule?", "question:", "draft.yaml:16: indicators.R1.1.question: Input should"),
        ("kind: ladder", "kind: lader", "draft.yaml:17: indicators.R1.1.kind: Input should be 'ladder'"),
        ("window_months: 36", "window_months: 0", "draft.yaml:18: indicators.R1.1.window_months: Input"),
        ("stage: in_force", "stage: adopted", "draft.yaml:22: indicators.R1.1.levels.1.stage: Input should"),
        ("level: 3", "level: 4", "draft.yaml:13: indicators.R1.1: R1.1: levels must be numbered"),
        ("window_months: 36", "window_months:", "draft.yaml:13: indicators.R1.1: R1.1: a windowed level"),
        (", windowed: true", "", "draft.yaml:18: indicators.R1.1.window_months: a window needs a windowed"),
        ("stage: applied", "stage: in_force", "draft.yaml:13: indicators.R1.1: R1.1: a top that needs"),
        ("application: true", "application: false", "draft.yaml:19: indicators.R1.1.top_needs_application"),
        ("stage: committed", "stage: applied", "draft.yaml:20: indicators.R1.1.levels: a level cannot show"),
        ("kind: ladder", "kind: count", "draft.yaml:13: indicators.R1.1: R1.1: a count has no levels"),
        ("kind: ladder", "kind: yes_no", "draft.yaml:13: indicators.R1.1: R1.1: a yes-or-no question has"),
        ("id: R1.1", "id: R2.1", "draft.yaml:13: indicators.R2.1.id: R2.1: there is no recommendation R2"),
        ("[none-there]", "[too-hard]", "draft.yaml:27: indicators.R1.1.not_applicable.0: R1.1: unknown reas"),
        ("counts: [A law]", "counts: []", "draft.yaml:24: indicators.R1.1.counts: Tuple should have at le"),
        ("[government]", "[governments]", "draft.yaml:11: recommendations.R1.addressees.0: Input should"),
        ('"2026-11-24"', "24 November", "draft.yaml:2: published: String should match pattern"),
        ("version: 1.0.0", "version: 1.0", "draft.yaml:1: version: Input should be a valid string"),
        ("id: defence", "id: spyware", None),
        ("    meaning: 1\n", "    meaning: 1\n    meaning: 2\n", "draft.yaml:15: duplicate key 'meaning'"),
        ("title: A rule", "title: &a A rule", "draft.yaml:15: anchors are not allowed"),
        ("title: A rule", "title: !!str A rule", "draft.yaml:15: tags are not allowed"),
        ("title: A rule", "title: A: rule", "draft.yaml:15: mapping values are not allowed"),
    ],
)
def test_a_broken_file_is_refused_by_file_line_and_rule(
    draft: Write, right: str, wrong: str, problem: str | None
) -> None:
    path = draft(SMALL.replace(right, wrong, 1))
    if problem is None:
        assert load_file(path).agencies[0].id == "spyware"
        return
    with pytest.raises(CodebookError) as caught:
        load_file(path)
    assert any(found.startswith(problem) for found in caught.value.problems), caught.value.problems


def test_all_problems_are_named_at_once_in_the_order_of_the_file(draft: Write) -> None:
    text = SMALL.replace("meaning: Tools.", "meaning: 7").replace("kind: ladder", "kind: lader")
    with pytest.raises(CodebookError) as caught:
        load_file(draft(text.replace("level: 2", "level: two")))
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["5", "17", "22"]


def test_an_id_cannot_name_two_things_and_the_second_is_pointed_at(draft: Write) -> None:
    twice = "  - {id: spyware, title: Again, meaning: Tools.}\nagencies:"
    with pytest.raises(CodebookError, match=r"draft\.yaml:6: capabilities\.spyware\.id: used for two things"):
        load_file(draft(SMALL.replace("agencies:", twice)))


def test_a_file_named_as_a_version_must_say_that_version(draft: Write) -> None:
    path = draft(SMALL)
    with pytest.raises(CodebookError, match=r"2\.0\.0\.yaml:1: version: the file is named 2\.0\.0"):
        load_file(path.rename(path.with_name("2.0.0.yaml")))


def test_a_file_that_is_too_long_is_refused_unread(draft: Write) -> None:
    with pytest.raises(CodebookError, match="longer than 1000000 bytes"):
        load_file(draft(SMALL + "#" * 1_000_000))


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(draft: Write) -> None:
    path = draft(SMALL)
    path.write_bytes(b"version: 1.0.0\nreading: \xff\n")
    with pytest.raises(CodebookError, match=r"draft\.yaml:2: not UTF-8"):
        load_file(path)


@pytest.mark.parametrize("text", ["", "- a list", "just text"])
def test_a_file_that_holds_no_codebook_is_refused(draft: Write, text: str) -> None:
    with pytest.raises(CodebookError, match=r"draft\.yaml:1: "):
        load_file(draft(text))


@pytest.mark.parametrize("version", ["9.9.9", "../1.0.0", ""])
def test_a_version_that_does_not_ship_is_refused_and_those_that_do_are_named(version: str) -> None:
    with pytest.raises(CodebookError, match=r"there are 1\.0\.0"):
        guide(version)


def test_the_digest_is_that_of_the_files_bytes() -> None:
    assert digest("1.0.0") == hashlib.sha256((FOLDER / "1.0.0.yaml").read_bytes()).hexdigest()


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "run write_schema() of mercwatch.framework.load"
    )


def test_loading_twice_gives_the_same_object() -> None:
    assert load("1.0.0") is load("1.0.0")
