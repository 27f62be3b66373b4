"""A whole ledger held to the rules, as before it is loaded or released."""

from __future__ import annotations

from collections.abc import Mapping

from mercwatch.framework.codebook import Codebook
from mercwatch.record.kinds import Body, Coding, Withholding
from mercwatch.record.ledger import Ledger
from mercwatch.record.rules import Known, broken, used_twice


def known_of(ledger: Ledger, things: Mapping[str, Body]) -> Known:
    """What bodies may refer to in this ledger, with `things` as the live ones."""
    notices = [e.body for e in ledger.entries.values() if isinstance(e.body, Withholding)]
    return Known(
        things,
        {name: entry.body for name, entry in ledger.entries.items()},
        frozenset(notice.thing for notice in notices),
        frozenset(notice.target for notice in notices),
    )


def faults(ledger: Ledger, codebook: Codebook) -> dict[str, list[str]]:
    """The rules that live entries break, by entry name. What is superseded is history and stays."""
    live = [entry for versions in ledger.live.values() for entry in versions]
    things = {entry.id: entry.body for entry in live}
    known = known_of(ledger, things)
    doubled = used_twice(body for body in things.values() if isinstance(body, Coding))
    found = {}
    for entry in live:
        messages = broken(entry.body, known, codebook)
        messages += [doubled[entry.id]] if entry.id in doubled else []
        messages += _superseded_exist(entry.envelope.supersedes, known)
        if messages:
            found[entry.name] = messages
    return found


def _superseded_exist(names: tuple[str, ...], known: Known) -> list[str]:
    lost = [name for name in names if name not in known.by_name and name not in known.withheld_names]
    return [f"supersedes {name}, which is not there" for name in lost]
