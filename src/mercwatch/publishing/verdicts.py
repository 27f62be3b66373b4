"""What the miner found and was judged: for the page of a government, of an action, and for the tables."""

from __future__ import annotations

from typing import Any

from mercwatch.publishing import captures, fragments
from mercwatch.publishing.edition import Edition
from mercwatch.record.entries import Entry
from mercwatch.record.kinds import Coder, Passage, Source, Verdict
from mercwatch.record.ledger import Snapshot

Data = dict[str, Any]
SHOWN = (50, 20, 10, 5, 2, 0)  # verdicts of a recommendation, and rejected ones, on a government's page


def of_government(edition: Edition, actor: str) -> Data | None:
    """The verdicts on what the miner found in a government's law book; None where there are none."""
    found = [verdict(edition, entry) for entry in edition.verdicts_on.get(actor, ())]
    if not found:
        return None
    accepted = [one for one in found if one["decision"] == "accepted"]
    rejected = [one for one in found if one["decision"] == "rejected"]
    return {
        "judged": len(found),
        "accepted": len(accepted),
        "rejected": len(rejected),
        "drafts": sum(one["draft"] for one in found),
        "by_recommendation": [
            {
                "id": recommendation.id,
                "title": recommendation.title,
                "page": fragments.page("recommendations", recommendation.id),
                "verdicts": [one for one in accepted if one["recommendation"] == recommendation.id],
            }
            for recommendation in edition.codebook.recommendations
            if any(one["recommendation"] == recommendation.id for one in accepted)
        ],
        "rejected_ones": rejected,
    }


def behind_action(edition: Edition, action: str) -> list[Data]:
    """The accepted candidates that an action was recorded from."""
    return [verdict(edition, entry) for entry in edition.verdicts_on.get(action, ())]


def verdict(edition: Edition, entry: Entry) -> Data:
    """One verdict with its passage, the actions that it bears on, and who judged."""
    body = entry.body
    assert isinstance(body, Verdict)  # noqa: S101 - tells the type checker what the edition keeps
    coder = coder_of(edition.snapshot, entry)
    actions = [edition.action(thing) for thing in body.bears_on]
    return {
        "id": body.id,
        "entry": entry.name,
        "candidate": body.candidate,
        "recommendation": body.recommendation,
        "decision": body.decision,
        "law": body.law,
        "article": body.article,
        "sha256": body.sha256,
        "passage": _passage(edition, body),
        "bears_on": [
            {"id": action.id, "title": action.title, "page": fragments.page("actions", action.id)}
            for action in actions
            if action
        ],
        "why": body.why,
        "coder": {"id": coder.id, "name": coder.name, "type": coder.type} if coder else None,
        "draft": is_draft(edition.snapshot, entry),
    }


def _passage(edition: Edition, body: Verdict) -> Data | None:
    """Where the passage stands; None where there is none, or where it is withheld."""
    passage = passage_of(edition.snapshot, body)
    if passage is None:
        return None
    entry = edition.snapshot.live.get(captures.source_of(edition.snapshot, passage) or "")
    source = entry.body if entry and isinstance(entry.body, Source) else None
    return {
        "id": passage.id,
        "where": passage.file or "text of our capture",
        "start": passage.start,
        "end": passage.end,
        "sha256": passage.quote_sha256,
        "source": {"title": source.title, "page": fragments.page("sources", source.id)} if source else None,
    }


def passage_of(snapshot: Snapshot, body: Verdict) -> Passage | None:
    """The live passage of an accepted candidate."""
    entry = snapshot.live.get(body.passage or "")
    return entry.body if entry and isinstance(entry.body, Passage) else None


def coder_of(snapshot: Snapshot, entry: Entry) -> Coder | None:
    """Who recorded an entry, as far as the record still names the coder."""
    by = snapshot.live.get(entry.envelope.recorded_by)
    return by.body if by and isinstance(by.body, Coder) else None


def is_draft(snapshot: Snapshot, entry: Entry) -> bool:
    """Whether no person stands behind the entry."""
    coder = coder_of(snapshot, entry)
    return coder is None or coder.type != "person"


def things(edition: Edition, thing: str) -> set[str]:
    """Ids of all that is shown of the verdicts on a government or an action."""
    found: set[str] = set()
    for entry in edition.verdicts_on.get(thing, ()):
        body = entry.body
        assert isinstance(body, Verdict)  # noqa: S101 - as above
        found |= {body.id, entry.envelope.recorded_by, *body.bears_on}
        passage = passage_of(edition.snapshot, body)
        if passage:
            source = captures.source_of(edition.snapshot, passage)
            found |= {passage.id, *([passage.capture] if passage.capture else [])}
            found |= {source} if source else set()
    return found
