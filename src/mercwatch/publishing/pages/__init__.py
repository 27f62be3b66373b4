"""All pages of an edition, one after another, so that memory does not grow with the site."""

from __future__ import annotations

from collections.abc import Iterator

from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages import actors, framework, home, lists, market, notes, things

MAKERS = (home.pages, lists.pages, actors.pages, market.pages, framework.pages, things.pages, notes.pages)


def all_pages(edition: Edition) -> Iterator[Page]:
    """Every page, made when it is asked for."""
    for make in MAKERS:
        yield from make(edition)
