"""The door to the ledger's database, for commands that need one."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType


def open_store() -> ModuleType:
    """Set Django up, bring the tables up to date, and give the store's `read` and `append`."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mercwatch.site.settings")
    django.setup()
    name = settings.DATABASES["default"]["NAME"]
    if isinstance(name, Path):
        name.parent.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)

    from mercwatch.record import store  # its models can be imported only now

    return store
