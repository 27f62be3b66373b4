"""How commands end: what stops one is said in a line, with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import click

from mercwatch.record.ledger import LedgerError
from mercwatch.record.problems import Refused

P = ParamSpec("P")
R = TypeVar("R")


def fail(message: str) -> NoReturn:
    """Say why a command stops, and end with exit code 2."""
    click.echo(message, err=True)
    sys.exit(2)


def fails_clearly(*kinds: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Bad input ends a command with all its problems on stderr; kinds: errors beside the record's own."""

    stops: tuple[type[Exception], ...] = (LedgerError, *kinds)

    def mark(command: Callable[P, R]) -> Callable[P, R]:
        @wraps(command)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return command(*args, **kwargs)
            except Refused as refused:
                fail(f"{refused}\n{len(refused.problems)} problem(s); nothing was taken in.")
            except stops as error:
                fail(str(error))
            except OSError as error:
                fail(f"{error.filename or 'a file'}: {error.strerror or error}; nothing half-done was kept")

        return wrapped

    return mark
