"""What a source's page says of our captures: what is kept, what we cite of it, whether it still stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from mercwatch.publishing.edition import Edition
from mercwatch.publishing.plain import shown_address, visible
from mercwatch.record.kinds import Capture, HowRead, Passage, PassageNow, Recheck
from mercwatch.record.ledger import Snapshot

Data = dict[str, Any]
SHOWN = (50, 20, 10, 5, 2, 1)  # captures on a source's page, and passages of each
HOW = {"fetched": "fetched by us", "imported": "handed in, saved by a person"}
FATES = {
    "unchanged": "stands as cited",
    "moved": "stands with the same words, at another place",
    "altered": "altered",
    "gone": "gone",
    None: "not looked for yet",
}
DRIFT = {"changed": "source changed since our capture", "unreachable": "address gave no document"}


def of_source(edition: Edition, source: str) -> list[Data]:
    """The captures of a source, the newest first, each with its passages and its recheck."""
    return [_capture(edition, body) for body in edition.captures_of.get(source, ())]


def drift(edition: Edition, source: str) -> Data | None:
    """How a cited source has drifted: its code, its words for lists, and in full; None where it has not.

    Lost passages count however old the capture is; anything else only where no newer capture stands.
    """
    for place, body in enumerate(edition.captures_of.get(source, ())):
        code = _drift(edition, body, place == 0)
        if code:
            recheck = edition.recheck_of[body.id]
            in_full = _words(body, recheck, _fates(edition, recheck))
            return {"code": code, "words": DRIFT[code], "in_full": in_full}
    return None


def things(edition: Edition, source: str) -> set[str]:
    """Ids of all that is shown of a source's captures."""
    found: set[str] = set()
    for body in edition.captures_of.get(source, ()):
        recheck = edition.recheck_of.get(body.id)
        found |= {body.id, *(passage.id for passage in edition.passages_of.get(body.id, ()))}
        found |= {recheck.id} if recheck else set()
    return found


def source_of(snapshot: Snapshot, passage: Passage) -> str | None:
    """The source that a passage is of: its own, or its capture's; None where that capture is withheld."""
    entry = snapshot.live.get(passage.capture or "")
    return entry.body.source if entry and isinstance(entry.body, Capture) else passage.source


def ranges(pages: Iterable[int]) -> str:
    """Pages in words: "1–3, 7"."""
    runs = groupby(enumerate(sorted(set(pages))), key=lambda pair: pair[1] - pair[0])
    ends = [[page for _, page in run] for _, run in runs]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in ends)


def _drift(edition: Edition, body: Capture, newest: bool) -> str | None:
    """The code of a capture's drift; None where what we cite of it stands, or nobody has asked again."""
    recheck = edition.recheck_of.get(body.id)
    state = _state(recheck, _fates(edition, recheck)) if recheck else "stands"
    if state == "lost" or (newest and state == "unseen"):
        return "changed"
    return "unreachable" if newest and state == "unreachable" else None


def _state(recheck: Recheck, fates: Mapping[str, PassageNow | None]) -> str:
    """unchanged, unreachable; of a changed page stands, lost, or unseen where not all was looked for."""
    if recheck.outcome != "changed":
        return recheck.outcome
    found = {now.fate if now else None for now in fates.values()}
    if found & {"altered", "gone"}:
        return "lost"
    return "stands" if found and None not in found else "unseen"


def _capture(edition: Edition, body: Capture) -> Data:
    recheck = edition.recheck_of.get(body.id)
    fates = _fates(edition, recheck) if recheck else {}
    asked = fates if recheck and recheck.outcome != "unreachable" else {}
    stamp = (
        {**body.stamp.model_dump(), "authority": shown_address(body.stamp.authority)} if body.stamp else None
    )
    return {
        "id": body.id,
        "sha256": body.sha256,
        "bytes": body.bytes,
        "media_type": visible(body.media_type),
        "fetched": body.fetched,
        "address": shown_address(body.address) if body.address else None,
        "how": body.how,
        "how_words": HOW[body.how],
        "read": _read(body.read) if body.read else None,
        "second_address": shown_address(body.second_address) if body.second_address else None,
        "stamp": stamp,
        "recheck": _recheck(body, recheck, fates) if recheck else None,
        "passages": [_passage(body, passage, asked) for passage in edition.passages_of.get(body.id, ())],
    }


def _read(body: HowRead) -> Data:
    return {
        **body.model_dump(mode="json"),
        "reader": visible(body.reader),
        "scanned_words": ranges(body.scanned) or None,
    }


def _recheck(body: Capture, recheck: Recheck, fates: Mapping[str, PassageNow | None]) -> Data:
    return {
        "id": recheck.id,
        "checked": recheck.checked,
        "outcome": recheck.outcome,
        "sha256": recheck.sha256,
        "reason": visible(recheck.reason) if recheck.reason else None,
        "state": _state(recheck, fates),
        "words": _words(body, recheck, fates),
    }


def _passage(body: Capture, passage: Passage, fates: Mapping[str, PassageNow | None]) -> Data:
    now = fates.get(passage.id)
    fate = now.fate if now else None
    return {
        "id": passage.id,
        "page": passage.page,
        "article": visible(passage.article) if passage.article else None,
        "start": passage.start,
        "end": passage.end,
        "sha256": passage.quote_sha256,
        "reader": visible(passage.reader or ""),
        "quote": visible(passage.quote) if passage.quote else None,
        "language": body.read.language if body.read else None,
        "fate": fate,
        "fate_words": FATES[fate] if passage.id in fates else None,
        "start_now": now.start if now else None,
    }


def _fates(edition: Edition, recheck: Recheck) -> dict[str, PassageNow | None]:
    """For each passage that is cited of a capture what became of it; None where nobody has looked.

    Of the same text every passage stands, also one that was taken later.
    """
    told = {now.passage: now for now in recheck.passages}
    cited = [passage.id for passage in edition.passages_of.get(recheck.capture, ())]
    if recheck.outcome == "unchanged":
        told = {thing: PassageNow(passage=thing, fate="unchanged") for thing in cited} | told
    return {thing: told.get(thing) for thing in cited}


def _words(body: Capture, recheck: Recheck, fates: Mapping[str, PassageNow | None]) -> str:
    """What a recheck means for what we cite, in a sentence."""
    day, stands = recheck.checked[:10], f"our capture of {body.fetched[:10]} stands."
    said = {
        "unchanged": f"On {day} the address still gave the same text.",
        "unreachable": f"On {day} the address gave no document ({visible(recheck.reason or '')}); {stands}",
        "lost": f"Source changed on or before {day}; {stands}",
        "stands": f"The page changed elsewhere by {day}; every passage that we cite stands as cited.",
        "unseen": f"The page changed by {day}; {_unseen(recheck, fates)}, and {stands}",
    }
    return said[_state(recheck, fates)]


def _unseen(recheck: Recheck, fates: Mapping[str, PassageNow | None]) -> str:
    """Why nobody can say whether what we cite of a changed page still stands."""
    if recheck.reason:
        return f"what it gives now could not be read ({visible(recheck.reason)})"
    return (
        "not every passage that we cite has been looked for"
        if fates
        else "we cite no passage of this capture"
    )
