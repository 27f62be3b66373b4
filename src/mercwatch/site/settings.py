"""Django settings. The database is SQLite in WAL mode; where it lies is set by MERCWATCH_DB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_DATABASE = Path(os.environ.get("MERCWATCH_DB", "var/mercwatch.sqlite3"))

SECRET_KEY = "no sessions, no forms, nothing to sign"  # noqa: S105 - nothing is signed with it
DEBUG = False
ALLOWED_HOSTS: list[str] = []
INSTALLED_APPS = ["mercwatch.record"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _DATABASE,
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
}

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "OPTIONS": {"autoescape": True},
    }
]

SITE_URL = os.environ.get("MERCWATCH_SITE_URL", "")
