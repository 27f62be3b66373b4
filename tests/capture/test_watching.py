"""What is new at an official place, and what is none: clocks, banners, counters, links that come and go."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capture.gazette import Gazette, feed, gazette, page, sitemap
from mercwatch.capture.archive import Archive
from mercwatch.capture.asking import Rules
from mercwatch.capture.changes import masked, same_address
from mercwatch.capture.fetching import Fetcher
from mercwatch.capture.looking import MAX_TRIES, Tools, Watcher
from mercwatch.capture.places import SCHEMA as PLACES_SCHEMA
from mercwatch.capture.places import Place, PlacesError, load, schema_text, shipped
from mercwatch.capture.reading import Item, Link, Listing, Piece, Reading
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.waiting import Item as WaitingItem
from mercwatch.capture.waiting import Waiting, WaitingError
from mercwatch.capture.watching import Look, Poll, State, poll, read_state, write_state

DAY = "2026-11-24T15:00:00Z"
NEXT = "2026-11-25T15:00:00Z"
RULES = Rules(contact="watch@mercwatch.example", loopback=True, pace=0, retries=0, seconds=10)


def place(form: str, address: str = "https://gazette.example/", language: str = "en") -> Place:
    """A place of the watch list."""
    return Place.model_validate(
        {
            "id": "fr-gazette",
            "actor": "FR",
            "name": "Gazette",
            "kind": "gazette",
            "language": language,
            "address": address,
            "form": form,
            "watched_for": ["R1"],
            "why": "New laws.",
        }
    )


def blank(where: Place) -> State:
    """Nothing is remembered of the place."""
    return State(place=where.id, address=where.address, form=where.form)


def reading(*lines: str, links: tuple[str, ...] = (), reader: str = "html 1") -> Reading:
    """A page as a reader gives it: one paragraph a line."""
    text, pieces, at = "\n".join(lines), [], 0
    for line in lines:
        pieces.append(Piece(start=at, end=at + len(line.encode())))
        at = pieces[-1].end + 1
    found = tuple(Link(address=link, words="A law") for link in links)
    return Reading(reader=reader, text=text, pieces=tuple(pieces), links=found)


def twice(
    state: State, first: Reading, second: Reading | None = None, moment: str = DAY, language: str = "en"
) -> Poll:
    """One look at a page, fetched a second time where the first fetch asks for it."""
    where = place("page", language=language)
    told = poll(where, state, Look(first, moment))
    return poll(where, state, Look(first, moment, second or first)) if told.again else told


def after(*lines: str, links: tuple[str, ...] = (), moment: str = DAY, language: str = "en") -> State:
    """The state after a first look at a page."""
    told = twice(blank(place("page")), reading(*lines, links=links), moment=moment, language=language)
    assert told.first
    assert not told.documents
    return told.state


def listed(state: State, *items: Item) -> Poll:
    """One look at a feed."""
    return poll(place("feed"), state, Look(Listing(kind="feed", items=items), DAY))


def items(count: int, dated: str = "") -> list[Item]:
    """A feed's items."""
    return [Item(address=f"https://gazette.example/{n}", title=f"Law {n}", dated=dated) for n in range(count)]


def test_the_first_look_is_a_baseline_and_then_a_new_item_is_new() -> None:
    first = listed(blank(place("feed")), *items(3))
    assert (first.first, first.documents) == (True, ())
    new = Item(address="https://gazette.example/new", title="A new law", dated="2026-11-24")
    second = listed(first.state, new, *items(3))
    assert [document.address for document in second.documents] == [new.address]
    assert second.state.pending == second.documents
    assert listed(second.state, new, *items(3)).documents == ()


def test_a_first_look_from_the_start_takes_what_is_there() -> None:
    look = Look(Listing(kind="feed", items=tuple(items(3))), DAY)
    assert len(poll(place("feed"), blank(place("feed")), look, from_start=True).documents) == 3


def test_a_feed_of_ten_thousand_items_gives_its_one_new_item() -> None:
    many = items(10_000, "2026-03-02")
    state = listed(blank(place("feed")), *many).state
    state = State.model_validate_json(state.model_dump_json())
    new = Item(address="https://gazette.example/new")
    assert [d.address for d in listed(state, *many, new).documents] == [new.address]


def test_a_document_with_a_new_date_is_new_again_but_a_list_that_dates_everything_today_is_not() -> None:
    old = items(30, "2026-03-02")
    state = listed(blank(place("feed")), *old).state
    amended = [old[0].model_copy(update={"dated": "2026-11-24"}), *old[1:]]
    assert [d.address for d in listed(state, *amended).documents] == [old[0].address]
    redated = listed(state, *items(30, "2026-11-24"))
    assert redated.documents == ()
    assert listed(redated.state, *items(30, "2026-11-24")).documents == ()


@pytest.mark.parametrize(
    "other",
    [
        "http://gazette.example/law/1",
        "https://www.gazette.example/law/1/",
        "https://GAZETTE.example:443/law/1#part-2",
        "https://gazette.example/law/1?utm_source=feed",
        "https://gazette.example/law/1;jsessionid=0A1B",
    ],
)
def test_one_document_under_two_ways_of_writing_its_address_is_one(other: str) -> None:
    assert same_address(other) == same_address("https://gazette.example/law/1")
    assert same_address("https://gazette.example/law/1?id=2") != same_address("https://gazette.example/law/1")


@pytest.mark.parametrize(
    ("language", "before", "later"),
    [
        ("en", "Tuesday, 24 November 2026, 14:05:33 GMT", "Wednesday, 25 November 2026, 09:12:01 GMT"),
        ("en", "It is now 14:05", "It is now 15:59"),
        ("fr", "mardi 24 novembre 2026, 14h05", "mercredi 25 novembre 2026, 9h01"),
        ("de", "Dienstag, 24. November 2026 14.05 Uhr", "Mittwoch, 25. November 2026 8.15 Uhr"),
        ("hu", "2026. november 24., kedd", "2026. november 25., szerda"),
        ("lt", "2026 m. lapkričio 24 d., antradienis", "2026 m. lapkričio 25 d., trečiadienis"),
        ("ja", "2026年11月24日火曜日", "2026年11月25日水曜日"),
        ("th", "วันอังคารที่ 24 พฤศจิกายน พ.ศ. 2569", "วันพุธที่ 25 พฤศจิกายน พ.ศ. 2569"),
        ("ar", "الثلاثاء، ٢٤ نوفمبر ٢٠٢٦", "الأربعاء، ٢٥ نوفمبر ٢٠٢٦"),
        ("sr", "уторак, 24. новембар 2026.", "среда, 25. новембар 2026."),
        ("he", "יום שלישי, 24 בנובמבר 2026", "יום רביעי, 25 בנובמבר 2026"),
        ("en", "Views: 1,204", "Views: 1,377"),
        ("de", "1.204 Aufrufe", "1.377 Aufrufe"),
        ("en", "Law 1", "Law 1 \u200b"),
    ],
)
def test_a_clock_todays_date_and_a_counter_are_no_change(language: str, before: str, later: str) -> None:
    state = after("The laws in force", before, language=language)
    told = twice(state, reading("The laws in force", later), moment=NEXT, language=language)
    assert not told.change, [block.text for block in told.change.new]
    assert not told.again


@pytest.mark.parametrize(
    ("before", "later"),
    [
        ("In force since 1 January 2026.", "In force since 1 March 2026."),
        ("Decree of 23 November 2025", "Decree of 25 November 2025"),
        ("Licences end on 2027-01-01", "Licences end on 2027-06-30"),
        ("Art. 12.05 applies.", "Art. 12.06 applies."),
        ("The agency asks a judge.", "The agency asks nobody."),
        ("Regulators publish news on cookies.", "Regulators publish rules on cookies."),
    ],
)
def test_a_laws_date_and_its_words_are_a_change(before: str, later: str) -> None:
    told = twice(after("The laws in force", before), reading("The laws in force", later), moment=NEXT)
    assert [block.text for block in told.change.new] == [later]
    assert told.change.gone == 1
    assert not twice(told.state, reading("The laws in force", later), moment=NEXT).change


def test_a_cookie_banner_and_an_advert_that_come_are_no_change() -> None:
    banner = ("We use cookies to improve this site.", "Accept all cookies", "Advertisement")
    assert not twice(after("A law"), reading("A law", *banner), moment=NEXT).change
    assert not twice(after("A law", *banner), reading("A law"), moment=NEXT).change


def test_a_name_that_leaves_a_sanctions_list_and_comes_back_is_a_change_each_time() -> None:
    state = after("Listed: Alpha Ltd", "Listed: Beta Ltd")
    gone = twice(state, reading("Listed: Alpha Ltd"))
    assert (gone.change.new, gone.change.gone) == ((), 1)
    back = twice(gone.state, reading("Listed: Alpha Ltd", "Listed: Beta Ltd"))
    assert [block.text for block in back.change.new] == ["Listed: Beta Ltd"]


def test_a_name_that_leaves_a_list_is_told_beside_a_paragraph_that_changes_at_every_fetch() -> None:
    first = reading("Firm A", "Firm B", "Saying one")
    begun = twice(blank(place("page")), first, reading("Firm A", "Firm B", "Saying two"))
    quiet = twice(
        begun.state, reading("Firm A", "Firm B", "Saying three"), reading("Firm A", "Firm B", "Saying four")
    )
    assert not quiet.change
    told = twice(quiet.state, reading("Firm A", "Saying five"), reading("Firm A", "Saying six"))
    assert told.change.gone == 1


def test_what_differs_between_two_fetches_in_a_row_is_no_change_and_is_remembered() -> None:
    state = after("A law", "Tip: read the law")
    told = twice(state, reading("A law", "Tip: ask a lawyer"), reading("A law", "Tip: write to us"))
    assert not told.change
    again = poll(place("page"), told.state, Look(reading("A law", "Tip: ask a lawyer"), NEXT))
    assert (again.again, again.change.new) == (False, ())
    real = twice(
        told.state, reading("A new law", "Tip: ask a lawyer"), reading("A new law", "Tip: write to us")
    )
    assert [block.text for block in real.change.new] == ["A new law"]


def test_a_number_that_counts_by_itself_is_learned_and_the_date_beside_it_still_counts() -> None:
    def told(count: int, day: str) -> Reading:
        return reading("A law", f"Visitor number {count} since {day}")

    state = twice(after("A law"), told(11, "3 March 2024"), told(12, "3 March 2024")).state
    assert not poll(place("page"), state, Look(told(99, "3 March 2024"), NEXT)).again
    changed = twice(state, told(100, "4 March 2024"))
    assert [block.text for block in changed.change.new] == ["Visitor number 100 since 4 March 2024"]


def test_new_links_of_a_page_are_documents_and_links_for_sharing_or_of_one_fetch_only_are_not() -> None:
    old, new = "https://gazette.example/1", "https://cdn.example/law-2.pdf"
    state = after("Laws", links=(old,))
    share, varying = "https://www.facebook.com/sharer?u=1", "https://gazette.example/x?visit="
    first = reading("Laws", links=(old, new, share, varying + "1", "https://gazette.example/#top"))
    told = twice(state, first, reading("Laws", links=(old, new, varying + "2")))
    assert [(d.address, d.title) for d in told.documents] == [(new, "A law")]
    assert twice(told.state, reading("Laws", links=(new, old))).documents == ()


def test_another_version_of_the_reader_is_no_change_of_the_page() -> None:
    state = after("The laws", "in force")
    told = twice(state, reading("The laws in force", reader="html 2"))
    assert not told.change
    assert "remembered anew" in told.state.note
    changed = twice(told.state, reading("The laws repealed", reader="html 2"))
    assert [block.text for block in changed.change.new] == ["The laws repealed"]


def test_today_is_every_day_that_it_is_somewhere_on_earth() -> None:
    assert masked("25 November 2026", "2026-11-24T11:00:00Z", ("en",)) == "<today>"
    assert masked("23 November 2026", "2026-11-24T11:00:00Z", ("en",)) == "<today>"
    assert masked("23 November 2026", "2026-11-24T13:00:00Z", ("en",)) == "23 November 2026"
    assert masked("26 November 2026", "2026-11-24T13:00:00Z", ("en",)) == "26 November 2026"


# --- against a server ---


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The readers, started once for all tests here."""
    with Sandbox() as made:
        yield made


@pytest.fixture
def site() -> Iterator[Gazette]:
    """A gazette on loopback."""
    with gazette() as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.open(tmp_path / "archive", write=True) as made:
        yield made


@pytest.fixture(scope="module")
def fetcher() -> Fetcher:
    """A fetcher for all tests here: its certificates take a while to load."""
    return Fetcher(RULES)


@pytest.fixture
def watcher(archive: Archive, sandbox: Sandbox, fetcher: Fetcher) -> Watcher:
    """A watcher with everything real."""
    return Watcher(Tools(fetcher, archive, sandbox))


LAW = "<h2>Law on searches</h2><p>Art. 1 The agency may enter a device remotely if a judge allows it.</p>"


def test_a_page_is_watched_from_fetch_to_review_queue(site: Gazette, watcher: Watcher) -> None:
    ticks = itertools.count(1)
    listing = ["<p>Act of 3 March 2024 on licences, in force since 1 May 2024.</p>"]

    def served() -> str:
        now = datetime.now(UTC)
        clock = f"<p>{now:%A, %d %B %Y}, 10:{next(ticks) % 60:02}:07</p>"
        banner = '<div class="cookie-banner"><p>This site uses cookies. Accept all cookies</p></div>'
        return page(clock + "".join(listing), banner if next(ticks) % 3 else "")

    where = place("page", site.put("/", served))
    assert watcher.visit(where).first
    told = watcher.visit(where)
    assert (told.problem, told.documents, told.change) == ("", 0, "")
    assert len(watcher.tools.archive) == 1  # what told nothing is not kept

    listing[0] = "<p>Act of 3 March 2024 on licences, in force since 1 July 2024.</p>"
    assert (
        "1 new, 1 gone; “Act of 3 March 2024 on licences, in force since 1 July"
        in watcher.visit(where).change
    )
    assert watcher.visit(where).change == ""
    waiting = watcher.waiting.open_items()
    assert [(item.kind, item.about) for item in waiting] == [("change", "fr-gazette")]
    assert watcher.tools.archive.with_sha256(waiting[0].sha256)

    listing.append('<p>New: <a href="/law-2">Law on searches</a></p>')
    site.put("/law-2", page(LAW))
    assert watcher.visit(where).documents == 1
    taken = [attempt.taken for attempt in watcher.take(where)]
    assert taken[0] is not None
    batch, texts = watcher.unmined(where)
    assert batch.startswith("fr-gazette-20")
    assert "if a judge allows it" in (watcher.tools.archive.folder / "texts" / texts[0].file).read_text()


def test_a_server_that_says_unchanged_is_believed_and_asked_once(site: Gazette, watcher: Watcher) -> None:
    where = place("feed", site.put("/feed", feed(site.home, ("/1", "One"))))
    assert watcher.visit(where).first
    assert watcher.visit(where).documents == 0
    assert watcher.visit(where).documents == 0
    assert (site.unchanged, site.asked) == (2, ["/feed"] * 3)
    site.put("/feed", feed(site.home, ("/1", "One"), ("/2", "Two")))
    assert watcher.visit(where).documents == 1


def test_sitemaps_of_an_index_are_followed_and_a_new_sitemap_is_all_new(
    site: Gazette, watcher: Watcher
) -> None:
    site.put("/january.xml", sitemap(site.home, "/1", "/2"))
    where = place("sitemap", site.put("/index.xml", sitemap(site.home, "/january.xml", index=True)))
    assert watcher.visit(where).documents == 0
    site.put("/february.xml", sitemap(site.home, "/3"))
    site.put("/index.xml", sitemap(site.home, "/january.xml", "/february.xml", "/broken.xml", index=True))
    told = watcher.visit(where)
    assert told.documents == 1
    assert "1 of 3 sitemaps failed" in told.note
    site.put("/broken.xml", sitemap(site.home, *(f"/old/{n}" for n in range(500))))
    assert watcher.visit(where).documents == 0  # it is older than we could see: a baseline


def test_an_index_of_ten_thousand_sitemaps_costs_fifty_requests(site: Gazette, watcher: Watcher) -> None:
    index = sitemap(site.home, *(f"/{n}.xml" for n in range(10_000)), index=True)
    site.put("/9999.xml", sitemap(site.home, "/1"))
    where = place("sitemap", site.put("/index.xml", index))
    told = watcher.visit(where)
    assert "49 of 50 sitemaps failed" in told.note
    assert len(site.asked) == 51


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "404"),
        ("<html><body><p>Moved to another site</p></body></html>", "neither a feed"),
        ("", "empty"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><rss><channel>&a;</channel></rss>', "entities"),
    ],
)
def test_a_place_that_fails_is_one_line_and_nothing_is_forgotten(
    site: Gazette, watcher: Watcher, answer: str | None, words: str
) -> None:
    where = place("feed", site.put("/feed", feed(site.home, ("/1", "One"))))
    watcher.visit(where)
    site.answers.pop("/feed")
    if answer is not None:
        site.put("/feed", answer)
    told = watcher.visit(where)
    assert words in told.problem
    assert "\n" not in told.problem
    state = watcher.state(where)
    assert (state.failures, bool(state.problem)) == (1, True)
    site.put("/feed", feed(site.home, ("/1", "One"), ("/2", "Two")))
    assert watcher.visit(where).documents == 1
    assert watcher.state(where).failures == 0


def test_a_login_page_is_no_page_to_watch(site: Gazette, watcher: Watcher) -> None:
    form = '<form><input name="user"><input type="password" name="password"><button>Sign in</button></form>'
    site.put("/", f"<html><head><title>Sign in</title></head><body><h1>Sign in</h1>{form}</body></html>")
    assert "login" in watcher.visit(place("page", f"{site.home}/")).problem


def test_a_run_that_is_killed_between_two_documents_goes_on_with_the_second(
    site: Gazette, watcher: Watcher
) -> None:
    where = place("feed", site.put("/feed", feed(site.home, ("/0", "Zero"))))
    watcher.visit(where)
    site.put("/feed", feed(site.home, ("/1", "One"), ("/2", "Two"), ("/0", "Zero")))
    for n in "12":
        site.put(f"/{n}", page(f"<p>Law number {n} was published.</p>"))
    watcher.visit(where)
    first = next(iter(watcher.take(where)))  # and here the run ends
    assert first.document.address == f"{site.home}/1"
    site.asked.clear()
    later = Watcher(watcher.tools)
    assert [attempt.document.address for attempt in later.take(where)] == [f"{site.home}/2"]
    assert site.asked == ["/2"]
    assert len(later.unmined(where)[1]) == 2
    assert list(later.take(where)) == []


def test_a_document_that_does_not_answer_is_asked_again_and_then_put_before_a_person(
    site: Gazette, watcher: Watcher
) -> None:
    where = place("feed", site.put("/feed", feed(site.home)))
    watcher.visit(where)
    site.put("/feed", feed(site.home, ("/missing", "A lost law")))
    watcher.visit(where)
    for run in range(MAX_TRIES):
        assert watcher.waiting.open_items() == [], run
        assert next(watcher.take(where)).problem.startswith("the server answered 404")
    assert list(watcher.take(where)) == []
    (item,) = watcher.waiting.open_items()
    assert (item.kind, item.address) == ("new-document", f"{site.home}/missing")
    assert item.what.startswith("A lost law could not be fetched 3 times")


def test_a_document_that_no_program_can_read_is_kept_and_put_before_a_person(
    site: Gazette, watcher: Watcher
) -> None:
    where = place("feed", site.put("/feed", feed(site.home)))
    watcher.visit(where)
    site.put("/broken", b"%PDF-1.7 and nothing more")
    site.put("/feed", feed(site.home, ("/broken", "A broken law")))
    watcher.visit(where)
    list(watcher.take(where))
    (item,) = watcher.waiting.open_items()
    assert item.what.startswith("A broken law is kept, but cannot be read")
    assert watcher.tools.archive.with_sha256(item.sha256)


def test_what_is_remembered_of_a_place_survives_a_write_that_was_cut_off(
    site: Gazette, watcher: Watcher
) -> None:
    where = place("feed", site.put("/feed", feed(site.home, ("/1", "One"))))
    watcher.visit(where)
    folder = watcher.tools.archive.folder / "watch"
    (folder / ".fr-gazette.json.77").write_text('{"place": "fr-g')
    assert watcher.visit(where).problem == ""
    (folder / "fr-gazette.json").write_text('{"place": "fr-g')
    told = watcher.visit(where)
    assert "fr-gazette.json: cannot be read" in told.problem
    assert "move it away" in told.problem
    assert list(watcher.take(where)) == []


def test_a_place_with_another_address_begins_with_a_baseline(site: Gazette, watcher: Watcher) -> None:
    watcher.visit(place("feed", site.put("/feed", feed(site.home, ("/1", "One")))))
    moved = place("feed", site.put("/other", feed(site.home, ("/2", "Two"))))
    told = watcher.visit(moved)
    assert (told.first, told.documents) == (True, 0)


# --- the watch list, and the review queue ---


def test_the_shipped_watch_list_is_sound_and_its_schema_is_the_typed_one() -> None:
    assert PLACES_SCHEMA.read_text() == schema_text()
    assert all(found.checked_on is None or found.checked_on >= "2026" for found in shipped())


GOOD = """\
- id: fr-jo
  actor: FR
  name: Journal officiel
  kind: gazette
  language: fr
  address: https://gazette.example/feed
  form: feed
  watched_for: [R1, R2]
  why: New laws.
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: gazette", "kind: gazete"), "list.yaml:4: fr-jo: kind: "),
        (("id: fr-jo", "id: de-jo"), "list.yaml:1: de-jo: the id begins with fr-"),
        (("https://gazette", "ftp://gazette"), "list.yaml:6: fr-jo: address: "),
        (("[R1, R2]", "[]"), "list.yaml:8: fr-jo: watched_for: "),
        (("why: New laws.", "why: New laws.\n  colour: red"), "list.yaml:10: fr-jo: colour: "),
        (("why: New laws.", "checked_on: yesterday\n  why: x"), "list.yaml:9: fr-jo: checked_on: "),
        (("form: feed", "form: [feed"), "list.yaml:"),
        (("  ", "\t"), "list.yaml:"),
        ((GOOD, "places: none"), "list.yaml:1: "),
    ],
)
def test_a_mistake_in_a_watch_list_is_named_with_its_line(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(PlacesError) as raised:
        load([path])
    assert raised.value.problems[0].startswith(message)


def test_two_places_share_neither_id_nor_address(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(GOOD + GOOD.replace("fr-jo", "fr-other"))
    with pytest.raises(
        PlacesError, match=r"fr-other: https://gazette\.example/feed stands already at list\.yaml:1"
    ):
        load([path])


def waits(name: str, what: str = "A page changed") -> WaitingItem:
    """An item of the review queue."""
    return WaitingItem(name, "drift", DAY, "src-law", "https://gazette.example/law", what)


def test_the_review_queue_holds_each_item_once_until_somebody_settles_it_and_says_why(tmp_path: Path) -> None:
    queue = Waiting(tmp_path)
    assert queue.open_items() == []
    assert queue.add(waits("drift-1", "one\x1b[31m\nline"))
    assert not queue.add(waits("drift-1", "another"))
    assert [item.what for item in Waiting(tmp_path).open_items()] == ["one [31m line"]
    with pytest.raises(WaitingError, match="says who they are"):
        queue.settle("drift-1", "person-1", " ")
    queue.settle("drift-1", "person-1", "The law was amended.")
    assert queue.open_items() == []
    assert [(i.settled_by, i.settled_why) for i in queue.items()] == [("person-1", "The law was amended.")]
    assert not queue.add(waits("drift-1"))
    with pytest.raises(WaitingError, match="was settled by person-1: The law was amended"):
        queue.settle("drift-1", "person-2", "Again.")
    with pytest.raises(WaitingError, match="nothing in the review queue is named drift-2"):
        queue.settle("drift-2", "person-1", "Done.")


def test_a_review_queue_that_is_damaged_says_so(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite3").write_bytes(b"no database" * 200)
    with pytest.raises(WaitingError, match=r"queue\.sqlite3: the review queue cannot be used"):
        Waiting(tmp_path).add(waits("drift-1"))


def test_what_is_remembered_of_an_address_takes_twenty_four_bytes(tmp_path: Path) -> None:
    marks = frozenset(n.to_bytes(8, "big") for n in range(40_000))  # two for each address
    write_state(tmp_path, blank(place("sitemap")).with_(seen=marks, began=DAY))
    path = tmp_path / "watch" / "fr-gazette.json"
    assert path.stat().st_size < 20_000 * 24
    kept = read_state(tmp_path, "fr-gazette")
    assert kept is not None
    assert kept.seen == marks
