"""What is wrong with an input: file, line and rule in one message, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError


@dataclass(frozen=True, order=True)
class Problem:
    """One broken rule, and where."""

    file: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}"


class Refused(ValueError):
    """The input breaks rules; nothing was taken from it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def from_validation(path: Path, line: int, thing: str, error: ValidationError) -> list[Problem]:
    """Each error of a schema as a problem, with the field's name in front."""
    return [
        Problem(path.name, line, f"{thing}: {_where(fault['loc'])}{_say(fault['msg'])}")
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _where(location: tuple[int | str, ...]) -> str:
    """The field's path, without the envelope and the kind, which the message names already."""
    steps = [str(step) for step in location]
    steps = steps[1:] if steps[:1] == ["body"] else steps
    steps = steps[1:]
    return f"{'.'.join(steps)}: " if steps else ""


def _say(message: str) -> str:
    message = message.removeprefix("Value error, ")
    if message == "Extra inputs are not permitted":
        return "there is no such field"
    if message == "Field required":
        return "this field is missing"
    return message[:1].lower() + message[1:]
