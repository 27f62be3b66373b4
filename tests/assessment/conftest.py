"""The shipped codebook and an empty record."""

from __future__ import annotations

import pytest

from builders import Record
from mercwatch.framework.codebook import Codebook
from mercwatch.framework.load import load


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    """The shipped codebook."""
    return load()


@pytest.fixture
def record(codebook: Codebook) -> Record:
    """An empty record."""
    return Record(codebook)
