"""The words that fields are made of: ids, names, lines, texts, addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Id = Annotated[str, Field(pattern=r"^([A-Z]{2}|[a-z0-9]+(-[a-z0-9]+)*)$", max_length=90)]
ActorId = Id
Name = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(min_length=1, max_length=3000)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$", max_length=1000)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Sources = Annotated[tuple[Id, ...], Field(min_length=1)]
