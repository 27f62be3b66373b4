"""How codings become levels: stages, dates, windows, sources, coders, the EU, bands."""

from __future__ import annotations

from datetime import date

import pytest

from builders import BASE, Record, action, coding, government, source
from mercwatch.assessment.assess import assess
from mercwatch.assessment.cells import Cell, Scorecard, State
from mercwatch.framework.codebook import Codebook
from mercwatch.record.ledger import LedgerError


def card(record: Record, as_of: str = "2026-06-01", actor: str = "FR") -> Scorecard:
    return assess(record.ledger.at(), record.codebook, actor, date.fromisoformat(as_of))


def cell(record: Record, indicator: str, as_of: str = "2026-06-01", actor: str = "FR") -> Cell:
    return card(record, as_of, actor).cells[indicator]


LAW = action("fr-law", ("adopted", "2023-12-01"), ("in_force", "2024-01-01"))
USED = action("fr-used", ("applied", "2024-06-15"))


def test_a_cell_without_a_coding_is_unknown_and_not_zero(record: Record) -> None:
    record.release("2026-01-02", *BASE)
    found = cell(record, "R1.1")
    assert found.state is State.UNKNOWN
    assert found.level is None


def test_a_level_begins_on_its_day(record: Record) -> None:
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024-01-01")))
    assert cell(record, "R1.1", "2023-12-31").state is State.UNKNOWN
    found = cell(record, "R1.1", "2024-01-01")
    assert (found.level, found.since, found.draft) == (2, "2024-01-01", True)


def test_a_level_is_shown_only_if_it_holds_for_every_day_that_its_dates_may_be(record: Record) -> None:
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024")))
    during = cell(record, "R1.1", "2024-06-01")
    assert during.level is None
    assert during.coming == (2, "2024")
    assert cell(record, "R1.1", "2024-12-31").level == 2


def test_an_application_ages_out_of_its_window_on_the_printed_day(record: Record) -> None:
    tests = [(2, ["fr-law"], "2024-01-01"), (3, ["fr-law", "fr-used"], "2024-06-15")]
    record.release("2026-01-02", *BASE, LAW, USED, coding("R1.1", *tests))
    before = cell(record, "R1.1", "2027-06-14")
    assert (before.level, before.until) == (3, date(2027, 6, 15))
    assert cell(record, "R1.1", "2027-06-15").level == 2


def test_a_repeal_ends_a_level(record: Record) -> None:
    law = action("fr-law", ("in_force", "2024-01-01"), ("ended", "2025-03-01"))
    record.release("2026-01-02", *BASE, law, coding("R1.1", (2, ["fr-law"], "2024-01-01")))
    assert cell(record, "R1.1", "2025-02-28").until == date(2025, 3, 1)
    assert cell(record, "R1.1", "2025-03-01").state is State.UNKNOWN


@pytest.mark.parametrize(
    ("nature", "read", "level", "confidence"),
    [
        ("primary", "provision", 2, "A"),
        ("official-summary", "full-text", 2, "B"),
        ("primary", "excerpt", 1, "C"),
        ("secondary", "full-text", 1, "C"),
        ("press", "full-text", None, None),
        ("primary", "not-read", None, None),
    ],
)
def test_what_was_read_decides_what_a_level_can_rest_on(
    record: Record, nature: str, read: str, level: int | None, confidence: str | None
) -> None:
    law = action("fr-law", ("in_force", "2024-01-01"), of="src-it")
    rows = [*BASE, source("src-it", nature, read), law, coding("R1.1", (2, ["fr-law"], "2024-01-01"))]
    record.release("2026-01-02", *rows)
    found = cell(record, "R1.1")
    assert (found.level, found.confidence) == (level, confidence)
    assert found.judged == 2  # what was judged stays visible


def test_the_weakest_evidence_of_a_test_decides(record: Record) -> None:
    weak = action("fr-weak", ("in_force", "2024-01-01"), of="src-weak")
    both = coding("R1.1", (2, ["fr-law", "fr-weak"], "2024-01-01"))
    record.release("2026-01-02", *BASE, source("src-weak", "secondary"), LAW, weak, both)
    assert cell(record, "R1.1").level == 1


def test_a_corrected_fact_puts_its_cell_under_review_and_out_of_all_sums(record: Record) -> None:
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024-01-01")))
    fixed = action("fr-law", ("in_force", "2024-02-01"), because="The gazette gives a later day.")
    record.release("2026-02-02", fixed)
    found = card(record)
    assert found.cells["R1.1"].state is State.UNDER_REVIEW
    assert "corrected fact" in (found.cells["R1.1"].reason or "")
    assert found.summaries["R1"].coded == 0


def test_two_codings_that_disagree_show_as_a_range_outside_all_sums(record: Record) -> None:
    record.release(
        "2026-01-02",
        *BASE,
        LAW,
        coding("R1.1", (2, ["fr-law"], "2024-01-01")),
        coding("R1.1", (1, ["fr-law"], "2024-01-01"), coder="person-1"),
    )
    found = card(record)
    contested = found.cells["R1.1"]
    assert (contested.state, contested.level, contested.high) == (State.CONTESTED, 1, 2)
    assert found.summaries["R1"].coded == 0


@pytest.mark.parametrize(("adjudicator", "draft"), [("person-1", False), ("machine-1", True)])
def test_only_a_persons_adjudication_makes_a_level_final(
    record: Record, adjudicator: str, draft: bool
) -> None:
    settled = {
        "kind": "adjudication",
        "id": "fr-r1-1-settled",
        "actor": "FR",
        "indicator": "R1.1",
        "coder": adjudicator,
        "stands": "fr-r1-1-machine-1",
        "reason": "The law names all three.",
    }
    other = coding("R1.1", (1, ["fr-law"], "2024-01-01"), coder="person-1")
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024-01-01")), other, settled)
    found = cell(record, "R1.1")
    assert (found.level, found.draft) == (2, draft)


def test_members_see_the_unions_level_beside_their_own_and_sums_use_their_own(record: Record) -> None:
    rule = action("eu-rule", ("in_force", "2021-09-09"), actor="EU", origin="eu")
    membership = {
        "kind": "membership",
        "id": "fr-eu-membership",
        "actor": "FR",
        "group": "EU",
        "since": "1958-01-01",
        "until": "2026-03-31",
        "sources": ["src-law"],
    }
    judged = coding("R2.2", (2, ["eu-rule"], "2021-09-09"), actor="EU")
    record.release("2026-01-02", *BASE, government("EU"), rule, membership, judged)
    own = card(record, "2026-03-31")
    assert own.cells["R2.2"].state is State.UNKNOWN
    inherited = own.cells["R2.2"].inherited
    assert inherited is not None
    assert (inherited.actor, inherited.level) == ("EU", 2)
    assert own.summaries["R2"].coded == 0
    assert cell(record, "R2.2", "2026-04-01").inherited is None


def test_nothing_found_rests_on_a_search_log_for_twelve_months(record: Record) -> None:
    log = {
        "kind": "search_log",
        "id": "fr-log",
        "actor": "FR",
        "coder": "machine-1",
        "indicators": ["R4.1"],
        "covers_checklist": True,
        "official_languages_covered": True,
        "places": ["The gazette"],
        "languages": ["fr"],
        "queries": ["fournisseur"],
        "period": "2020/2026",
        "searched_on": "2026-01-01",
    }
    record.release("2026-01-02", *BASE, log, coding("R4.1", answer="zero", search_log="fr-log"))
    found = cell(record, "R4.1", "2026-12-31")
    assert (found.state, found.level) == (State.NOTHING_FOUND, 0)
    assert cell(record, "R4.1", "2027-01-01").state is State.UNKNOWN


def test_what_does_not_apply_leaves_coverage_and_needs_a_reason_of_the_codebook(record: Record) -> None:
    reason = record.codebook.by_id["R7.6"].not_applicable[0]
    record.release("2026-01-02", *BASE, coding("R7.6", answer="not-applicable", reason=reason))
    assert card(record).summaries["R7"].applicable == 5
    with pytest.raises(ValueError, match="is not one of"):
        record.release("2026-01-03", coding("R7.5", answer="not-applicable", reason="invented"))


def test_a_draft_never_enters_a_summary_band(record: Record) -> None:
    every = [coding(f"R1.{n}", (1, ["fr-said"], "2024-01-01")) for n in (1, 2, 3, 4, 5)]
    said = action("fr-said", ("in_force", "2024-01-01"))
    record.release("2026-01-02", *BASE, said, *every)
    summary = card(record).summaries["R1"]
    assert (summary.coded, summary.drafts, summary.band) == (5, 5, None)
    reviewed = [
        {
            "kind": "adjudication",
            "id": f"fr-r1-{n}-settled",
            "actor": "FR",
            "indicator": f"R1.{n}",
            "coder": "person-1",
            "stands": f"fr-r1-{n}-machine-1",
            "reason": "Checked.",
        }
        for n in (1, 2, 3, 4)
    ]
    record.release("2026-01-03", *reviewed)
    assert card(record).summaries["R1"].band == "emerging"


def test_a_pending_reply_holds_the_band_back(record: Record) -> None:
    reply = {
        "kind": "reply",
        "id": "fr-reply",
        "actor": "FR",
        "about": "fr-r1-1-machine-1",
        "received": "2026-01-03",
        "summary": "The government disagrees.",
        "state": "pending",
        "sources": ["src-law"],
    }
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024-01-01")), reply)
    assert card(record).summaries["R1"].band_reason == "a reply is pending"


def test_a_coding_of_an_older_meaning_awaits_coding(record: Record) -> None:
    record.release("2026-01-02", *BASE, LAW, coding("R1.1", (2, ["fr-law"], "2024-01-01")))
    indicators = tuple(
        i.model_copy(update={"meaning": 2}) if i.id == "R1.1" else i for i in record.codebook.indicators
    )
    fields = {name: getattr(record.codebook, name) for name in Codebook.model_fields}
    newer = Codebook(**{**fields, "indicators": indicators})
    found = assess(record.ledger.at(), newer, "FR", date(2026, 6, 1)).cells["R1.1"]
    assert found.state is State.UNKNOWN
    assert "awaits coding" in (found.reason or "")


def test_before_the_first_release_there_is_no_answer(record: Record) -> None:
    record.release("2026-01-02", *BASE)
    with pytest.raises(LedgerError, match="there is no answer"):
        record.ledger.known_on(date(2026, 1, 1))
    assert record.ledger.known_on(date(2026, 1, 2)).release.body.number == 1
