"""Fixtures of the capture room's tests: a hostile server, certificates, and rules that reach loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capture.server import Certificates, Server, certificates, running
from mercwatch.capture.asking import Rules


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on loopback that answers as it is told."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates, good and bad."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def rules() -> Rules:
    """Rules that reach loopback, and do not wait."""
    return Rules(contact="test@example.org", loopback=True, pace=0, robots=False, retries=0, back_off=0)
