"""A page: data first; its HTML and its JSON twin are both made from that same data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """One address of the site. `things` are the ids whose entries the page shows."""

    path: str  # "/governments/FR/"
    template: str
    title: str
    data: dict[str, Any]
    things: Iterable[str]
    actors: Iterable[str] = field(default=())  # whose levels it shows
    # How many of a long list its HTML shows: the first of these that keeps it small. The twin has them all.
    shown: tuple[int, ...] = (0,)
    drawing: dict[str, Any] = field(default_factory=dict)  # for the HTML alone: shapes, and HTML of our own

    @property
    def file(self) -> str:
        """Where its HTML lies in the site's folder."""
        return f"{self.path.lstrip('/')}index.html"

    @property
    def twin(self) -> str:
        """The address of its JSON twin: "/governments/FR.json", "/index.json" for the home page."""
        return "/index.json" if self.path == "/" else f"{self.path.rstrip('/')}.json"
