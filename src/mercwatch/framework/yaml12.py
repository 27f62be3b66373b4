"""YAML from strangers: 1.2 core scalars, plain data only, and the line of everything in it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, TypeAlias

import yaml
from yaml.reader import ReaderError

Path: TypeAlias = tuple[str | int, ...]
Marks: TypeAlias = dict[Path, int]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 30
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """What is wrong with a YAML text, and on which line."""

    def __init__(self, name: str, line: int, rule: str) -> None:
        super().__init__(f"{name}:{line}: {rule}")
        self.name = name
        self.line = line
        self.rule = rule


def read_yaml(text: str, name: str) -> tuple[object, Marks]:
    """The text's one document as plain data, and the 1-based line of each value by its path.

    An entry of a mapping has its key's line; the document itself is at the path (). Refused with YamlError:
    more than 1 MB, aliases, anchors, tags, duplicate keys, keys that are not text, numbers that are not
    finite or have more than 30 digits, more than 20 levels, a second document. An empty text is None.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise YamlError(name, text.count("\n", 0, error.start) + 1, "not valid Unicode") from None
    if size > MAX_BYTES:
        raise YamlError(name, 1, f"longer than {MAX_BYTES} bytes")
    reader = _Reader(name, yaml.parse(text, Loader=_LOADER))
    try:
        return reader.document(), reader.marks
    except yaml.YAMLError as error:
        raise YamlError(name, _error_line(error, text), _error_words(error)) from None


def shipped(path: pathlib.Path) -> Any:
    """The values in a YAML file that ships with the program; raises YamlError."""
    return read_yaml(path.read_text(encoding="utf-8"), path.name)[0]


def scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar's value by the YAML 1.2 core schema: `NO` and `2024-01-01` stay text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    for pattern, number in _NUMBERS:
        if pattern.fullmatch(text):
            return number(text)
    return text


class _Reader:
    """Builds the document from the parser's events, so that nothing is built before it is allowed."""

    def __init__(self, name: str, events: Iterator[yaml.Event]) -> None:
        self.name = name
        self.events = events
        self.marks: Marks = {}

    def document(self) -> object:
        value: object = None
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                if self.marks:
                    raise self._refuse(event, "a second document")
                value = self._value(event, ())
        self.marks.setdefault((), 1)
        return value

    def _value(self, event: yaml.Event, path: Path) -> object:
        self._check(event)
        self.marks.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(path) >= MAX_DEPTH:
            raise self._refuse(event, f"more than {MAX_DEPTH} levels deep")
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path)

    def _mapping(self, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in found:
                raise self._refuse(event, f"duplicate key {key!r}")
            self.marks[(*path, key)] = _line(event)
            found[key] = self._value(next(self.events), (*path, key))
        return found

    def _sequence(self, path: Path) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _key(self, event: yaml.Event) -> str:
        self._check(event)
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            raise self._refuse(event, "a key must be text (quote it if it is a number or a word like true)")
        return key

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        if not event.implicit[0]:  # quoted or a block: always text
            return event.value
        if _NOT_FINITE.fullmatch(event.value):
            raise self._refuse(event, f"not a finite number: {event.value}")
        if len(event.value) > _MAX_DIGITS:
            if any(pattern.fullmatch(event.value) for pattern, _ in _NUMBERS):
                raise self._refuse(
                    event, f"a number of more than {_MAX_DIGITS} digits: quote it if it is text"
                )
            return event.value
        value = scalar(event.value)
        if isinstance(value, float) and not isfinite(value):
            raise self._refuse(event, f"not a finite number: {event.value}")
        return value

    def _check(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, f"aliases are not allowed (*{event.anchor})")
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            raise self._refuse(event, f"anchors are not allowed (&{event.anchor})")
        if tag := getattr(event, "tag", None):
            raise self._refuse(event, f"tags are not allowed ({tag})")

    def _refuse(self, event: yaml.Event, rule: str) -> YamlError:
        return YamlError(self.name, _line(event), rule)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _error_line(error: yaml.YAMLError, text: str) -> int:
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        return min(int(mark.line), text.count("\n")) + 1  # the parser may stop after the last line
    if isinstance(error, ReaderError):  # its position counts bytes
        before = text.encode("utf-8", "replace")[: int(error.position)]
        return before.count(b"\n") + 1
    return 1


def _error_words(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        return ", ".join(word for word in (error.context, error.problem) if word)
    return str(getattr(error, "reason", None) or "not YAML")
