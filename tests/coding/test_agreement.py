"""Agreement between blind coders: the figures, their edges, and whose cells they are about."""

from __future__ import annotations

import math
from datetime import date
from random import Random

import krippendorff
import numpy as np
import pytest

from builders import BASE, MACHINE, Record, Thing, action, coding, government
from mercwatch.coding.agreement import (
    NOT_APPLICABLE,
    UNKNOWN,
    Agreement,
    Table,
    agreements,
    mean_alpha,
    wordings,
)
from mercwatch.framework.load import load

FIRST = [1, 2, 3, 3, 2, 1, 3, 2, 1, 2, 0, 0]
SECOND = [1, 2, 3, 2, 2, 1, 1, 2, 1, 3, 0, 1]
DAY = date(2026, 11, 24)
CODEBOOK = load("1.0.0")


def table(first: list[int], second: list[int]) -> Table:
    return Table.of(list(zip(first, second, strict=True)))


def test_ac2_is_that_of_the_irrcac_package() -> None:
    # irrCAC 0.4.4, CAC(ratings, weights="ordinal").gwet(), on the same twelve pairs
    assert table(FIRST, SECOND).ac2 == pytest.approx(0.7557251908)


def test_alpha_between_levels_is_krippendorffs_ordinal_alpha() -> None:
    ordinal = krippendorff.alpha(np.array([FIRST, SECOND]), level_of_measurement="ordinal")
    assert table(FIRST, SECOND).alpha == pytest.approx(ordinal)


def test_alpha_between_kinds_of_answer_is_nominal() -> None:
    first = [UNKNOWN, UNKNOWN, NOT_APPLICABLE, 2, 2, 2]
    second = [UNKNOWN, 2, NOT_APPLICABLE, 2, UNKNOWN, 2]
    nominal = krippendorff.alpha(np.array([first, second]), level_of_measurement="nominal")
    assert table(first, second).alpha == pytest.approx(nominal)


@pytest.mark.parametrize("seed", range(20))
def test_the_alpha_that_is_resampled_is_the_packages_alpha(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    units = [[random.choice((-2, -1, 1, 2, 3)) for _ in range(random.choice((2, 2, 3)))] for _ in range(15)]
    made = Table.of(units)
    assert made.alpha == pytest.approx(float(made._alphas(np.ones((1, 15)))[0]))


def test_a_level_against_unknown_weighs_more_than_a_level_against_its_neighbour() -> None:
    near = table([1, 2, 3, UNKNOWN, 2, 1], [1, 2, 2, UNKNOWN, 2, 1]).alpha
    far = table([1, 2, 3, UNKNOWN, 2, 1], [1, 2, UNKNOWN, UNKNOWN, 2, 1]).alpha
    assert near is not None and far is not None and near > far


def test_full_agreement_on_different_answers_is_one() -> None:
    full = table([1, 2, 3, UNKNOWN], [1, 2, 3, UNKNOWN])
    assert (full.percent, full.alpha, full.interval(100, 1)) == (1.0, 1.0, (1.0, 1.0))


@pytest.mark.parametrize("answer", [2, UNKNOWN, NOT_APPLICABLE])
def test_alpha_is_undefined_where_only_one_answer_was_used(answer: int) -> None:
    same = table([answer] * 30, [answer] * 30)
    assert (same.percent, same.alpha, same.interval(100, 1)) == (1.0, None, None)


def test_ac2_is_undefined_where_there_is_no_other_answer_to_give() -> None:
    assert table([UNKNOWN] * 5, [UNKNOWN] * 5).ac2 is None


def test_one_cell_has_a_percentage_and_no_interval() -> None:
    one = table([1], [2])
    assert one.percent == 0.0 and one.interval(100, 1) is None
    assert one.alpha is not None and math.isclose(one.alpha, 0.0)


def test_the_interval_holds_the_estimate_and_is_the_same_each_time() -> None:
    made = table(FIRST, SECOND)
    interval = made.interval(1000, 7)
    assert interval is not None and made.alpha is not None
    assert interval[0] < made.alpha < interval[1]
    assert interval == made.interval(1000, 7)


BLIND = [{**MACHINE, "id": f"machine-{n}", "blind": True} for n in (1, 2)]


def two(
    level_1: int | None, level_2: int | None, actor: str = "FR", indicator: str = "R1.3", **more: object
) -> list[Thing]:
    """The two coders' judgements of an indicator without a window; None is unknown."""
    law = f"{actor.lower()}-law"
    return [
        coding(indicator, (level, [law], "2024-01-01"), actor=actor, coder=coder, **more)
        if level
        else coding(indicator, actor=actor, coder=coder, answer="unknown", **more)
        for coder, level in (("machine-1", level_1), ("machine-2", level_2))
    ]


def law(actor: str = "FR") -> Thing:
    return action(f"{actor.lower()}-law", ("in_force", "2024-01-01"), actor=actor)


def measured(record: Record) -> list[Agreement]:
    return agreements(record.ledger.at(), wordings([CODEBOOK]), DAY)


def test_cells_coded_twice_blind_are_measured_and_named_by_who_coded() -> None:
    record = Record(CODEBOOK).release(
        "2026-01-01", *BASE[1:], *BLIND, government("DE"), law(), law("DE"), *two(2, 2), *two(None, 1, "DE")
    )
    (found,) = measured(record)
    assert (found.indicator, found.n, found.percent) == ("R1.3", 2, 0.5)
    assert (found.pairing, found.current) == ("machine with machine", True)


def test_a_coder_who_was_not_blind_is_left_out() -> None:
    seeing = {**BLIND[1], "blind": False}
    record = Record(CODEBOOK).release("2026-01-01", *BASE[1:], BLIND[0], seeing, law(), *two(2, 2))
    assert measured(record) == []


def test_a_person_and_a_machine_are_named_as_such() -> None:
    person = {"kind": "coder", "id": "machine-2", "type": "person", "name": "Coder 2", "blind": True}
    record = Record(CODEBOOK).release("2026-01-01", *BASE[1:], BLIND[0], person, law(), *two(2, 1))
    (found,) = measured(record)
    assert found.pairing == "machine with person"


def test_who_codes_again_alone_is_not_compared_with_what_another_judged_before() -> None:
    both = [{**thing, "because": "read again"} for thing in two(2, 2)]
    record = Record(CODEBOOK).release("2026-01-01", *BASE[1:], *BLIND, law(), *two(2, 1))
    record.release("2026-01-02", both[1])
    (found,) = measured(record)
    assert (found.n, found.percent) == (1, 0.0)
    record.release("2026-01-03", *[{**thing, "rationale": "Once more."} for thing in both])
    (found,) = measured(record)
    assert (found.n, found.percent) == (1, 1.0)


def test_a_new_wording_is_measured_apart_and_not_on_those_it_learned_from() -> None:
    revised = load("1.1.0")
    assert "FR" in revised.by_id["R7.1"].learned_from and "ES" not in revised.by_id["R7.1"].learned_from
    record = Record(CODEBOOK).release(
        "2026-01-01",
        *BASE[1:],
        *BLIND,
        government("ES"),
        law(),
        law("ES"),
        *two(2, 1, indicator="R7.1", meaning=1),
        *two(2, 1, "ES", indicator="R7.1", meaning=1),
    )
    record.codebook = revised
    again = [
        *two(2, 2, meaning=2, indicator="R7.1"),
        *two(2, 2, "ES", meaning=2, indicator="R7.1"),
    ]
    record.release("2026-01-02", *[{**thing, "because": "new wording"} for thing in again])
    after, before = agreements(record.ledger.at(), wordings([CODEBOOK, revised]), DAY)
    assert (before.meaning, before.current, before.n, before.percent) == (1, False, 2, 0.0)
    assert (after.meaning, after.current, after.n, after.left_out) == (2, True, 1, 1)
    assert after.percent == 1.0


def test_the_mean_is_over_questions_with_enough_cells_and_a_defined_alpha() -> None:
    def one(n: int, alpha: float | None) -> Agreement:
        return Agreement("R1.1", 1, True, "machine with machine", n, 0, 0.9, alpha, None, None)

    assert mean_alpha([one(20, 0.8), one(30, 0.6), one(19, 0.0), one(40, None)]) == pytest.approx(0.7)
    assert mean_alpha([one(19, 1.0)]) is None
