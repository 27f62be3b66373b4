"""The codebook that ships."""

import re

import pytest

from mercwatch.framework.codebook import Codebook, Indicator, Kind, Stage
from mercwatch.framework.load import guide, load, versions

BOOK = load()
EACH = pytest.mark.parametrize("indicator", BOOK.indicators, ids=lambda indicator: indicator.id)


def test_the_newest_version_is_loaded_unless_one_is_asked_for() -> None:
    assert load() == load(versions()[-1])
    assert load("1.0.0").version == "1.0.0"


def test_there_are_eleven_recommendations_with_their_addressees() -> None:
    assert [r.id for r in BOOK.recommendations] == [f"R{n}" for n in range(1, 12)]
    assert {r.id: r.addressees for r in BOOK.recommendations} == {
        **{f"R{n}": ("government",) for n in range(1, 6)},
        **{f"R{n}": ("government", "industry") for n in (6, 7)},
        **{f"R{n}": ("industry",) for n in (8, 9)},
        "R10": ("industry", "civil society"),
        "R11": ("civil society",),
    }


def test_governments_are_asked_38_questions_and_organisations_16() -> None:
    asked = {r.id: len(BOOK.of(r.id)) for r in BOOK.recommendations}
    assert list(asked.values())[:7] == [5, 6, 5, 5, 6, 5, 6]
    assert list(asked.values())[7:] == [4, 4, 4, 4]


def test_indicators_stand_in_the_order_of_their_numbers() -> None:
    expected = [f"{r.id}.{n}" for r in BOOK.recommendations for n in range(1, len(BOOK.of(r.id)) + 1)]
    assert [indicator.id for indicator in BOOK.indicators] == expected


def test_r6_and_r7_judge_governments_though_they_address_industry_too() -> None:
    judged = {r.id: r.judged for r in BOOK.recommendations}
    assert judged["R6"] == judged["R7"] == ("government",)
    assert judged["R10"] == ("industry", "civil society")


def test_the_seven_capabilities_and_the_four_classes_of_agencies_are_named() -> None:
    assert [term.id for term in BOOK.capabilities] == [
        "spyware",
        "hack-for-hire",
        "exploits",
        "intrusion-as-a-service",
        "ddos",
        "disinformation",
        "social-engineering-intelligence",
    ]
    assert [term.id for term in BOOK.agencies] == [
        "law-enforcement",
        "civil-intelligence",
        "defence",
        "other-civil",
    ]


def test_the_codebook_says_that_it_is_a_working_reading() -> None:
    assert "our working reading" in BOOK.reading
    assert "not yet been checked" in BOOK.reading


def test_questions_that_are_no_ladder_are_not_called_one() -> None:
    no_ladder = ("R1.3", "R1.4", "R1.5", "R2.5", "R2.6", "R5.6", "R7.1", "R7.6")
    assert not [i for i in no_ladder if BOOK.by_id[i].kind is Kind.LADDER]
    assert {i.id for i in BOOK.indicators if i.kind is Kind.COUNT} == {"R9.4", "R11.2", "R11.4"}
    assert {i.id for i in BOOK.indicators if i.kind is Kind.YES_NO} == {"R10.4"}


@EACH
def test_every_question_has_three_levels_or_is_a_count_or_a_yes_or_no(indicator: Indicator) -> None:
    assert indicator.top == {Kind.COUNT: 0, Kind.YES_NO: 1}.get(indicator.kind, 3)


@EACH
def test_every_question_ends_in_a_question_mark_and_every_test_in_a_full_stop(indicator: Indicator) -> None:
    assert indicator.question.endswith("?")
    assert all(level.test.endswith(".") for level in indicator.levels)


@EACH
def test_a_level_test_names_a_window_exactly_when_its_evidence_ages(indicator: Indicator) -> None:
    own = [level for level in indicator.levels if level.windowed]
    for level in indicator.levels:
        inherits = re.search(r"Level \d's test is met", level.test)
        assert ("window" in level.test) == level.windowed or inherits, f"{indicator.id} level {level.level}"
    assert bool(own) == (indicator.window_months is not None) or indicator.kind is Kind.COUNT


@EACH
def test_the_top_needs_an_application_exactly_when_it_shows_one(indicator: Indicator) -> None:
    shows = bool(indicator.levels) and indicator.levels[-1].stage is Stage.APPLIED
    assert indicator.top_needs_application == shows


def test_endorsements_show_commitments_only() -> None:
    assert {level.stage for level in BOOK.by_id["R1.5"].levels} == {Stage.COMMITTED}


def test_every_reason_for_not_applicable_is_one_that_some_question_allows() -> None:
    used = [reason for indicator in BOOK.indicators for reason in indicator.not_applicable]
    assert set(used) == {term.id for term in BOOK.not_applicable_reasons}
    assert "no-contradicting-practice-on-record" in BOOK.by_id["R7.6"].not_applicable


def test_members_of_the_union_inherit_only_where_union_law_can_apply() -> None:
    inherited = {indicator.id for indicator in BOOK.indicators if indicator.inheritable}
    assert {"R2.1", "R2.2", "R2.3", "R2.4", "R2.6", "R5.1"} <= inherited
    assert not inherited & {"R1.1", "R1.5", "R2.5", "R6.1", "R7.1"}


def test_rows_of_the_crosswalk_from_memory_are_not_called_verified() -> None:
    rows = [row for r in BOOK.recommendations for row in r.crosswalk]
    rows += [row for indicator in BOOK.indicators for row in indicator.crosswalk]
    unsure = re.compile("memory|not seen|secondary source|abstract only", re.IGNORECASE)
    assert any(row.verified for row in rows)
    assert not [row for row in rows if row.verified and unsure.search(row.note or "")]
    assert not [row for row in rows if not row.verified and not row.note]


@pytest.mark.parametrize("version", versions())
def test_the_guide_rules_only_on_indicators_that_exist_and_numbers_each_ruling_once(version: str) -> None:
    book: Codebook = load(version)
    numbers = re.findall(r"^- \*\*(G-[\w.-]+)", guide(version), re.MULTILINE)
    assert len(numbers) == len(set(numbers)) > 50
    about = {match[1] for number in numbers if (match := re.fullmatch(r"G-(R\d+\.\d+)-\d+", number))}
    assert about and about <= set(book.by_id)
