"""Hosts are asked side by side, and one that is silent costs a run little."""

from __future__ import annotations

from collections.abc import Generator

from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.fetching import Fetched, Fetcher
from mercwatch.site.capturing import Outcome, fetch_all


def outcomes(fetcher: Fetcher, *addresses: str) -> Generator[Outcome, None, None]:
    return fetch_all(fetcher, addresses, lambda address: None)


def test_a_silent_host_is_not_asked_for_all_its_addresses() -> None:
    fetcher = Fetcher(Rules(contact="x@mercwatch.example", retries=0, pace=0))
    told = [
        str(found.error) for found in outcomes(fetcher, *(f"http://nowhere.invalid/{n}" for n in range(4)))
    ]
    assert ["was not asked again" in line for line in told] == [False, False, True, True]


def test_a_mistake_of_ours_ends_the_run_and_does_not_hang_it() -> None:
    class Broken(Fetcher):
        def fetch(self, address: str, known: object = None) -> Fetched:
            raise ZeroDivisionError

    try:
        list(outcomes(Broken(), "http://a.example/", "http://b.example/"))
    except ZeroDivisionError:
        return
    raise AssertionError("nobody was told")


def test_a_reader_who_stops_early_leaves_no_thread_that_waits() -> None:
    class Quick(Fetcher):
        def fetch(self, address: str, known: object = None) -> Fetched:
            raise FetchError("not-found", "the server answered 404", 404)

    found = outcomes(Quick(), *(f"http://{n}.example/" for n in range(40)))
    assert next(found).error is not None
    found.close()  # returns: the threads are not waited for, and drain
