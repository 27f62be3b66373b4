"""The `mercwatch` command. Each command joins rooms and prints; the rules live in the rooms."""

from __future__ import annotations

from importlib import import_module

import click

_MODULES = {
    "record_cli": "add code codebook dossier dump lint load release verify",
    "public_cli": "assess publish serve",
    "mining_cli": "judge lexicon mine passages queue",
    "capture_cli": "capture",
    "import_cli": "import-file import-warc",
    "archive_cli": "archive",
    "drift_cli": "cut read recheck reread settle",
    "watch_cli": "places watch",
}
"""Which module holds which commands: only the one that is run is loaded, so that every start is quick."""
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


class _Commands(click.Group):
    """The commands, each loaded when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted(_HOME)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in _HOME:
            return None
        module = import_module(f"mercwatch.site.{_HOME[cmd_name]}")
        found: click.Command = next(one for one in module.COMMANDS if one.name == cmd_name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mercwatch")
def main() -> None:
    """Mercwatch tracks which governments govern the trade in hacking for hire.

    Exit codes: 0 done, 1 the check found something, 2 bad input (nothing was taken in).
    """
