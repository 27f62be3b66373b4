"""What a new codebook changes, and who must code again."""

from typing import Any

import pytest

from mercwatch.framework.codebook import Codebook, Kind, Stage
from mercwatch.framework.diff import Change, MeaningError, What, describe, diff
from mercwatch.framework.load import load

OLD = load("1.0.0")


def newer(**changes: Any) -> Codebook:
    """The codebook with these top-level fields changed, as version 1.1.0."""
    fields = {name: getattr(OLD, name) for name in Codebook.model_fields}
    return Codebook.model_validate({**fields, "version": "1.1.0", **changes})


def with_indicator(name: str, **changes: Any) -> Codebook:
    """Version 1.1.0, in which one indicator has these fields changed."""
    indicators = (i.model_copy(update=changes) if i.id == name else i for i in OLD.indicators)
    return newer(indicators=tuple(indicators))


def without(name: str) -> Codebook:
    return newer(indicators=tuple(i for i in OLD.indicators if i.id != name))


def levels_of(name: str, number: int, **changes: Any) -> dict[str, Any]:
    """The levels of one indicator, one of them changed."""
    levels = OLD.by_id[name].levels
    return {"levels": tuple(x.model_copy(update=changes) if x.level == number else x for x in levels)}


def test_the_same_text_under_a_new_version_changes_nothing() -> None:
    assert diff(OLD, newer()) == []
    assert describe([]) == "Nothing changed; all codings carry over."


def test_codings_carry_over_where_only_the_words_changed() -> None:
    [change] = diff(OLD, with_indicator("R1.1", title="Public rule", question="Is there one?"))
    assert change == Change("R1.1", What.REWORDED, ("governments",), ("title changed", "question changed"))
    assert change.codings == "carry over"


def test_all_governments_await_coding_where_a_government_indicator_means_something_new() -> None:
    new = with_indicator("R6.3", meaning=2, **levels_of("R6.3", 3, test="Four classes."))
    [change] = diff(OLD, new)
    assert (change.what, change.whose, change.codings) == (What.NEW_MEANING, ("governments",), "await coding")
    assert change.details == ("level 3: the test changed",)


@pytest.mark.parametrize(
    ("indicator", "whose"),
    [
        ("R7.1", ("governments",)),
        ("R8.1", ("industry",)),
        ("R10.1", ("industry", "civil society")),
        ("R11.1", ("civil society",)),
    ],
)
def test_the_change_names_whose_codings_wait(indicator: str, whose: tuple[str, ...]) -> None:
    [change] = diff(OLD, with_indicator(indicator, meaning=2))
    assert change.whose == whose


def test_an_indicator_that_is_added_awaits_coding_and_one_that_is_removed_ends() -> None:
    [removed] = diff(OLD, without("R9.3"))
    assert (removed.subject, removed.what, removed.codings) == ("R9.3", What.REMOVED, "end")
    [added] = diff(without("R9.3"), newer(version="1.2.0"))
    assert (added.subject, added.what, added.codings) == ("R9.3", What.ADDED, "await coding")


@pytest.mark.parametrize(
    ("indicator", "changes", "rule"),
    [
        ("R1.1", levels_of("R1.1", 2, test="Another."), "R1.1: level 2: the test changed"),
        ("R1.1", levels_of("R1.1", 2, stage=Stage.COMMITTED), "the stage changed from in_force to committed"),
        (
            "R1.1",
            levels_of("R1.1", 3, windowed=False),
            "level 3: the evidence need no longer be in the window",
        ),
        ("R1.1", {"window_months": 24}, "R1.1: window changed from 36 months to 24 months"),
        ("R1.3", {"window_months": 36}, "R1.3: window changed from none to 36 months"),
        ("R1.1", {"kind": Kind.COVERAGE}, "R1.1: kind changed from ladder to coverage"),
        ("R1.3", {"levels": OLD.by_id["R1.3"].levels[:2]}, "R1.3: levels changed from 3 to 2"),
        ("R1.1", {"top_needs_application": False}, "R1.1: the top no longer needs an application"),
        ("R7.6", {"not_applicable": ()}, "the reason inquiry-period-running is no longer listed"),
        ("R9.4", {"counts": ("Anything",)}, "R9.4: counts changed"),
        ("R1.1", {"meaning": 3}, "R1.1: meaning 3 cannot follow 1"),
        ("R1.1", {"meaning": 0}, "R1.1: meaning 0 cannot follow 1"),
    ],
)
def test_a_change_of_meaning_must_be_declared(indicator: str, changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(MeaningError) as caught:
        diff(OLD, with_indicator(indicator, **changes))
    assert any(rule in problem for problem in caught.value.problems), caught.value.problems


def test_the_same_change_is_allowed_once_it_is_declared() -> None:
    [change] = diff(OLD, with_indicator("R1.1", window_months=24, meaning=2))
    assert change.details == ("window changed from 36 months to 24 months",)


def test_a_version_must_come_after_the_one_before_it() -> None:
    with pytest.raises(MeaningError, match=r"version 1\.0\.0 does not come after 1\.0\.0"):
        diff(OLD, OLD)
    assert diff(newer(version="1.9.0"), newer(version="1.10.0")) == []


def test_a_longer_list_of_documents_is_pointed_out_to_those_who_found_nothing() -> None:
    [change] = diff(OLD, with_indicator("R3.4", documents=("Everything",)))
    assert change.codings == "carry over"
    assert change.details == ("documents changed: an answer of 0 needs a search that covers the new list",)


def test_terms_and_recommendations_are_compared_too_and_have_no_codings() -> None:
    spyware, *others = OLD.capabilities
    reworded = spyware.model_copy(update={"meaning": "Something else."})
    recommendations = OLD.recommendations[:1] + tuple(
        r.model_copy(update={"title": "New"}) if r.id == "R2" else r for r in OLD.recommendations[1:]
    )
    changes = diff(OLD, newer(capabilities=(*others[1:], reworded), recommendations=recommendations))
    assert [(c.subject, c.what, c.codings) for c in changes] == [
        ("capability spyware", What.REWORDED, None),
        (f"capability {others[0].id}", What.REMOVED, None),
        ("recommendation R2", What.REWORDED, None),
    ]


def test_the_description_says_what_changed_and_who_must_code_again() -> None:
    new = with_indicator("R10.2", meaning=2, **levels_of("R10.2", 1, test="Another."))
    assert describe(diff(OLD, new)).splitlines() == [
        "R10.2: new meaning; codings of industry and civil society await coding",
        "    level 1: the test changed",
        "To be coded for all of industry: R10.2",
        "To be coded for all of civil society: R10.2",
    ]
