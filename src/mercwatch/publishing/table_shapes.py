"""What the tables of a download are: columns with meanings, and a declaration for each kind of thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mercwatch.framework.codebook import Strict
from mercwatch.record.kinds import (
    Action,
    Actor,
    Adjudication,
    Capture,
    Coder,
    Coding,
    Context,
    Correction,
    Endorsement,
    Finding,
    Instrument,
    Membership,
    Passage,
    Recheck,
    Reply,
    SearchLog,
    Source,
    Verdict,
)

Value = str | int | bool | None
Row = tuple[Value, ...]
Type = Literal["string", "integer", "boolean", "date"]


@dataclass(frozen=True)
class Column:
    """One column, with what its values mean."""

    name: str
    type: Type
    description: str
    required: bool


@dataclass(frozen=True)
class Foreign:
    """A column whose values are keys of another table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class Table:
    """One table; its rows are sorted by its key."""

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign: tuple[Foreign, ...]
    rows: tuple[Row, ...]

    def place(self, column: str) -> int:
        """Where the column stands in a row."""
        return [c.name for c in self.columns].index(column)


def text(name: str, description: str) -> Column:
    """A text that is always there."""
    return Column(name, "string", description, True)


def maybe(name: str, description: str) -> Column:
    """A text that may be missing."""
    return Column(name, "string", description, False)


def number(name: str, description: str, required: bool = True) -> Column:
    """A whole number."""
    return Column(name, "integer", description, required)


def flag(name: str, description: str) -> Column:
    """True or false."""
    return Column(name, "boolean", description, True)


def day(name: str, description: str, required: bool = False) -> Column:
    """A calendar day."""
    return Column(name, "date", description, required)


@dataclass(frozen=True)
class Thing:
    """A table of all live things of one kind, one row a thing."""

    name: str
    title: str
    kind: type[Strict]
    columns: tuple[Column, ...]


# Which version of the thing a row shows: whoever holds the dump can check it.
ENTRY = (
    text("entry", "Name of the entry that this row shows: the SHA-256 of its canonical JSON."),
    number("release", "Number of the release that added this entry."),
)
ID = text("id", "Stable id.")
ACTOR = text("actor", "Whose it is: an id in actors.")
SOURCES = text("sources", "Ids in sources, joined by a space.")
RECOMMENDATIONS = text("recommendations", "Ids in recommendations, joined by a space.")
CODER = maybe("coder", "Who judged: an id in coders.")
NOTE = maybe("note", "What is not confirmed, or stands against it.")
CAPABILITIES = maybe("capabilities", "Capabilities that it is about, joined by a space.")
VENDORS = maybe("vendors", "Vendors as the sources name them, joined by '; '.")
DATES = "Written as 2024, 2024-03, 2024-03-05, or an interval A/B; '..' is an unknown beginning."

RECOMMENDATION = (
    text("id", "Id, R1 to R11."),
    text("title", "Title."),
    text("addressees", "Whom it addresses, joined by '; '."),
    text("asks", "What it asks, in our words."),
)
INDICATOR = (
    text("id", "Id: the recommendation's and a number."),
    text("recommendation", "The recommendation that it belongs to."),
    number("meaning", "Meaning-version: grows by one when the meaning changes."),
    text("title", "Title."),
    text("question", "The question."),
    text("kind", "How its levels are to be read: ladder, coverage, stage, count or yes_no."),
    number("window_months", "Months after which the evidence of windowed levels ages out.", False),
    flag("top_needs_application", "Whether the highest level needs an application."),
    flag("inheritable", "Whether members of the EU are shown the EU's level beside their own."),
    text("counts", "What counts, joined by '; '."),
    text("does_not_count", "What does not count, joined by '; '."),
    text("documents", "What a search must have covered, joined by '; '."),
    maybe("not_applicable", "Reasons for which it may be not applicable, joined by a space."),
)
INDICATOR_LEVEL = (
    text("indicator", "The indicator."),
    number("level", "The level, 1 and up."),
    text("stage", "What it shows: committed, in_force or applied."),
    text("test", "The test that must be met."),
    flag("windowed", "Whether its evidence ages out of the indicator's window."),
)

THINGS = (
    Thing(
        "sources",
        "Documents, and how far each was read",
        Source,
        (
            ID,
            text("publisher", "Publisher."),
            text("title", "Title, in the document's own words."),
            text("address", "Address on the web."),
            text("language", "Language, ISO 639."),
            text("nature", "primary, official-summary, secondary or press."),
            text("read", "How far it was read: full-text, provision, excerpt or not-read."),
            maybe("read_on", "Day on which it was read."),
            maybe("copy_read", "live page or stored copy."),
            maybe("published", f"When it was published. {DATES}"),
            maybe("note", "What is to be known about the source."),
        ),
    ),
    Thing(
        "actors",
        "Governments, companies, civil-society organisations and other bodies",
        Actor,
        (
            text("id", "Stable id; for a government its ISO 3166-1 alpha-2 code, EU or XK."),
            text("type", "government, company, civil-society, body or vendor (a firm of the market)."),
            text("name", "Name."),
            maybe("name_fr", "Name in French, for governments."),
            maybe("iso3", "ISO 3166-1 alpha-3 code."),
            maybe("region", "Region, for governments."),
            maybe("status", "At the United Nations: member, observer, union or other."),
            maybe("country", "Seat of an organisation: an id in actors."),
            maybe("aliases", "Other names of the same firm, joined by '; '."),
            maybe("capabilities", "What a vendor sells, joined by a space."),
            maybe("owners", "Firms that owned a vendor, joined by '; '."),
            NOTE,
            SOURCES,
        ),
    ),
    Thing(
        "coders",
        "Who judged: persons, and machines under instructions",
        Coder,
        (
            ID,
            text("type", "person or machine."),
            maybe("model", "Which model, for a machine."),
            maybe("instructions", "Under which instructions, for a machine."),
            flag("blind", "Whether the coder saw the evidence and nobody's codings."),
        ),
    ),
    Thing(
        "memberships",
        "Membership of the European Union",
        Membership,
        (
            ID,
            ACTOR,
            text("group", "Of what: EU."),
            text("since", "First day."),
            maybe("until", "Last day."),
            SOURCES,
        ),
    ),
    Thing(
        "instruments",
        "Texts that actors endorse",
        Instrument,
        (
            ID,
            text("title", "Title."),
            text("date", f"Date. {DATES}"),
            text("summary", "What it says, in our words."),
            maybe("recommendations", "Recommendations that it bears on, joined by a space."),
            SOURCES,
        ),
    ),
    Thing(
        "endorsements",
        "Who endorsed which instrument",
        Endorsement,
        (
            ID,
            ACTOR,
            text("instrument", "What was endorsed: an id in instruments."),
            maybe("date", f"When; empty where the source gives no day. {DATES}"),
            maybe("ended", f"When it ended. {DATES}"),
            NOTE,
            SOURCES,
        ),
    ),
    Thing(
        "actions",
        "Actors' own deeds",
        Action,
        (
            ID,
            ACTOR,
            text("title", "Title."),
            text("summary", "What was done."),
            text("type", "Law, sanction, judgment and so on."),
            CAPABILITIES,
            maybe("reach", "Classes of agencies that it reaches, joined by a space."),
            maybe("origin", "national, sub-national or eu."),
            RECOMMENDATIONS,
            maybe("about", "Other actors that it concerns, joined by a space."),
            VENDORS,
            NOTE,
        ),
    ),
    Thing(
        "findings",
        "Contradicting practice, and context; it stands beside levels and is never netted into them",
        Finding,
        (
            ID,
            ACTOR,
            text("title", "Title."),
            text("summary", "What was found."),
            maybe("conduct", f"When it was done. {DATES}"),
            text("found", f"When it was found. {DATES}"),
            text("found_by", "Who found it."),
            maybe("government_then", "The government then in office."),
            maybe("agency", "Agency."),
            maybe("operator", "Who operated it."),
            maybe("operator_established_by", "Who established the operator; empty for context."),
            maybe("series", "N1 to N3; empty for context, which has no established operator."),
            text("state", "allegation, charge, finding, conviction (final or not), acquittal or remedied."),
            maybe("reply", "What the actor answered, as sourced."),
            CAPABILITIES,
            RECOMMENDATIONS,
            VENDORS,
            NOTE,
        ),
    ),
    Thing(
        "search_logs",
        "What was searched, and what was hit and why it did not count",
        SearchLog,
        (
            ID,
            ACTOR,
            CODER,
            text("indicators", "Indicators that it covers, joined by a space."),
            flag("covers_checklist", "Whether it covers all documents that the indicator lists."),
            text("places", "Where was searched, joined by '; '."),
            text("languages", "Languages, joined by a space."),
            flag("official_languages_covered", "Whether the official languages were searched."),
            text("queries", "Queries, joined by '; '."),
            text("period", f"Period searched. {DATES}"),
            text("searched_on", "Day of the search; it holds twelve months."),
            maybe("hits", "What was hit and why it did not count, joined by '; '."),
            maybe("gaps", "Known gaps, joined by '; '. With a gap it supports no level 0."),
        ),
    ),
    Thing(
        "codings",
        "Judgements: one coder, one indicator, one actor",
        Coding,
        (
            ID,
            ACTOR,
            text("indicator", "The indicator."),
            number("meaning", "The indicator's meaning-version that was judged."),
            CODER,
            maybe("answer", "A direct answer: zero, unknown or not-applicable."),
            maybe("search_log", "The search that zero rests on: an id in search_logs."),
            maybe("reason", "The codebook's reason, where not applicable."),
            number("count", "The count, for indicators that count.", False),
            text("rationale", "Why, in the coder's words."),
        ),
    ),
    Thing(
        "adjudications",
        "Which coding of a cell stands, and why",
        Adjudication,
        (
            ID,
            ACTOR,
            text("indicator", "The indicator."),
            maybe("coder", "Who decided: an id in coders. Only a person's makes a level final."),
            maybe("stands", "The coding that stands: an id in codings."),
            text("reason", "Why."),
        ),
    ),
    Thing(
        "context_marks",
        "Actions and findings that bear on no test, and why",
        Context,
        (ID, text("about", "Id of the action or finding."), CODER, text("reason", "Why.")),
    ),
    Thing(
        "corrections",
        "What was published and wrong, and what was done",
        Correction,
        (
            ID,
            text("about", "Id of the thing that was wrong."),
            text("date", "Day."),
            text("was", "What it said."),
            text("now", "What it says now."),
            text("reason", "Why."),
        ),
    ),
    Thing(
        "replies",
        "What actors answered, and what we answered them",
        Reply,
        (
            ID,
            ACTOR,
            text("about", "Id of what it is about."),
            text("received", "Day."),
            text("summary", "What they answered."),
            text("state", "pending or answered."),
            maybe("answer", "What we answered."),
            SOURCES,
        ),
    ),
    Thing(
        "verdicts",
        "What was accepted and rejected of what the miner proposed; it raises no level by itself",
        Verdict,
        (
            ID,
            ACTOR,
            text("candidate", "Name of the candidate that the miner proposed."),
            text("recommendation", "The recommendation that it was proposed for."),
            text("decision", "accepted or rejected."),
            text("law", "The law."),
            maybe("article", "Article or section."),
            text("sha256", "SHA-256 of the bytes that were proposed."),
            maybe("passage", "Id of the passage, where accepted."),
            maybe("source", "The source whose law book it stands in: an id in sources."),
            maybe("file", "File of the law book."),
            number("start", "First byte of the passage in the file, counted from 0.", False),
            number("end", "The byte after its last.", False),
            maybe("bears_on", "Actions of the record that the passage speaks of, joined by a space."),
            text("why", "Why, in the coder's words."),
            maybe("recorded_by", "Who judged: an id in coders."),
            flag("draft", "Whether it is a machine's judgement that no person has taken over."),
        ),
    ),
    Thing(
        "captures",
        "What was served or handed in as a source: kept privately, its hash here",
        Capture,
        (
            ID,
            text("source", "What it is a capture of: an id in sources."),
            text(
                "sha256", "SHA-256 of its bytes; whoever has the same bytes finds the same: sha256sum FILE."
            ),
            number("bytes", "How many bytes it has."),
            text("media_type", "Media type, as the server said or the file shows."),
            text("fetched", "When it was fetched or saved, in UTC."),
            maybe("address", "The last address, after redirects."),
            text("how", "fetched (by us) or imported (handed in)."),
            maybe("reader", "Which reader made text of it; empty where nobody could read it as text."),
            maybe("text_sha256", "SHA-256 of that text, in UTF-8."),
            maybe("language", "Language of the text, ISO 639."),
            maybe("published", "Its day, as the document itself says."),
            number("pages", "Number of its pages, where it has pages.", False),
            maybe("scanned", "Pages that are pictures without text, joined by a space."),
            maybe("second_address", "Where another archive keeps it."),
            maybe("stamp_authority", "Who gave it an RFC 3161 time stamp."),
            maybe("stamp_time", "When, in UTC."),
            maybe("stamp_token_sha256", "SHA-256 of the stamp's token."),
        ),
    ),
    Thing(
        "passages",
        "Spans that are cited, of a capture's text or of a file of a law book",
        Passage,
        (
            ID,
            text("source", "The source that it stands in: an id in sources."),
            maybe("capture", "The capture whose text it stands in: an id in captures."),
            maybe("file", "The file of the law book that it stands in, where there is no capture."),
            maybe("reader", "Which reader made the capture's text."),
            number("page", "Page, counted from 1.", False),
            maybe("article", "Article or section."),
            number("start", "Its first byte in the text (UTF-8) or the file, counted from 0."),
            number("end", "The byte after its last."),
            text("quote_sha256", "SHA-256 of its bytes."),
            maybe("before_sha256", "SHA-256 of the 64 bytes before it."),
            maybe("after_sha256", "SHA-256 of the 64 bytes after it."),
            maybe(
                "quote", "Its words, where they are the point; a short quotation under its author's terms."
            ),
        ),
    ),
    Thing(
        "rechecks",
        "What the address of each capture gave when it was last asked again",
        Recheck,
        (
            ID,
            text("capture", "The capture: an id in captures."),
            text("checked", "When, in UTC."),
            text("outcome", "unchanged (the same text), changed or unreachable."),
            maybe("sha256", "SHA-256 of the bytes that were served."),
            maybe("reason", "Why it could not be reached or read."),
        ),
    ),
)
