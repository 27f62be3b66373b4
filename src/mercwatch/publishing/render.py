"""Pages to bytes: HTML through Django's templates, and the JSON twin from the same data."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine

import mercwatch
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages.notes import release_data

_SITE = Path(mercwatch.__file__).parent / "site"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
MAX_PAGE = 150_000  # bytes of a page with its style sheet, for slow lines
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def engine() -> Engine:
    """Django's template engine for our templates; what it puts into HTML is escaped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mercwatch.site.settings")
    return Engine(
        dirs=[str(_SITE / "templates")],
        builtins=["mercwatch.publishing.tags"],
        loaders=[
            (
                "django.template.loaders.cached.Loader",
                ["django.template.loaders.filesystem.Loader"],
            )
        ],
    )


class Renderer:
    """Renders the pages of one edition; templates are read once."""

    def __init__(self, edition: Edition) -> None:
        self._engine = engine()
        self.edition = edition
        self.site_url: str = settings.SITE_URL

    @cached_property
    def static(self) -> dict[str, bytes]:
        """Static files by name; the style sheet carries its hash in its name."""
        found = {}
        for path in sorted((_SITE / "static").iterdir()):
            data = path.read_bytes()
            found[_hashed(path, data) if path.suffix == ".css" else path.name] = data
        return found

    @cached_property
    def style(self) -> str:
        """The style sheet's name."""
        return next(name for name in self.static if name.endswith(".css"))

    def html(self, page: Page) -> bytes:
        """The page for people."""
        values = {
            **page.data,
            **page.drawing,
            "title": page.title,
            "path": page.path,
            "twin": page.twin,
            "changed": self._changed(page),
            "style": self.style,
            "policy": POLICY,
            "site_url": self.site_url,
        }
        template = self._engine.get_template(page.template)
        room = MAX_PAGE - len(self.static[self.style])
        rendered = b""
        for shown in page.shown:
            rendered = template.render(Context({**values, "shown": shown})).encode()
            if len(rendered) <= room:
                break
        return rendered

    def twin(self, page: Page) -> bytes:
        """The page for programs: the same data."""
        values: dict[str, Any] = {
            "title": page.title,
            "address": page.path,
            "twin": page.twin,
            "licence": LICENCE,
            "reading": self.edition.codebook.reading,
            "changed": self._changed(page),
            **page.data,
        }
        return (json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1, default=str) + "\n").encode()

    def _changed(self, page: Page) -> dict[str, Any]:
        return release_data(self.edition.changed_in(page.things, page.actors))


def _hashed(path: Path, data: bytes) -> str:
    return f"{path.stem}.{hashlib.sha256(data).hexdigest()[:12]}{path.suffix}"
