"""A reader that misbehaves as its document tells it to: it stands for a library that a document has taken over."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mercwatch.capture.reading import Item, Listing, Piece, Reading

_CHILD = os.getpid()
_WRITTEN = Path("/dev/shm/mercwatch-written")  # noqa: S108


def warm() -> None:
    """Nothing to load."""


def _grow() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def _spin() -> None:
    while True:
        pass


def _say(data: bytes) -> None:
    """Answer with these bytes, past everything that would check them here."""
    while data:
        data = data[os.write(0, data) :]
    os._exit(0)


def _framed(letter: bytes, about: bytes) -> bytes:
    return letter + struct.pack(">IQ", len(about), 0) + about


_DEEDS: dict[str, Callable[[], object]] = {
    "opens a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "opens a local socket": socket.socketpair,
    "looks up a host": lambda: socket.getaddrinfo(b"localhost", 80),
    "reads a file": lambda: Path("/etc/hostname").read_bytes(),
    "reads its memory map": lambda: Path("/proc/self/maps").read_bytes(),
    "lists a folder": lambda: os.listdir("/"),  # noqa: PTH208
    "writes a file": lambda: _WRITTEN.write_bytes(b"x"),
    "removes a file": lambda: Path(__file__).unlink(),
    "starts a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "forks": os.fork,
    "starts a thread": lambda: threading.Thread(target=_spin, daemon=True).start(),
    "signals its parent": lambda: os.kill(_CHILD, signal.SIGTERM),
    "raises its limits": lambda: os.sched_setaffinity(0, {0}),
    "ends with a fault": lambda: ctypes.string_at(0),
    "ends without a word": lambda: os._exit(3),
    "works for ever": _spin,
    "waits for ever": lambda: time.sleep(1_000),
    "takes all memory": _grow,
    "talks without end": lambda: _say(b"R" * (64 << 20)),
    "talks nonsense": lambda: _say(b"\xff\x00 nonsense"),
    "sends a million brackets": lambda: _say(_framed(b"R", b'{"pieces":[' + b"[],{}," * 500_000 + b"0]}")),
    "sends no reading": lambda: _say(_framed(b"R", b'{"reader":"x"}')),
    "promises more than it sends": lambda: _say(b"R" + struct.pack(">IQ", 1 << 31, 1 << 60) + b"{}"),
    "sends an error of many lines": lambda: _say(b"Eone\ntwo\x00\xffthree" + b" word" * 100_000),
}
_LIES = {
    "a piece past the end": Piece(start=0, end=99),
    "a piece that cuts a letter": Piece(start=0, end=1),
    "a piece of nothing": Piece(start=2, end=2),
    "a piece on no page": Piece(start=0, end=2, page=9),
}


def read(body: bytes, media_type: str, address: str, day: str) -> Reading:
    """Do what the document says, and tell by which error it was stopped, or that it was done."""
    name = body.decode()
    if name in _LIES:
        return Reading(reader="liar", text="éa", pieces=(_LIES[name],))
    if name == "a title of two lines":
        return Reading(reader="liar", text="a", title="a\nb")
    if name == "a link to a script":
        return Reading.model_validate(
            {"reader": "liar", "text": "a", "links": [{"address": "javascript:alert(1)", "words": "a"}]}
        )
    try:
        _DEEDS[name]()
    except (PermissionError, RuntimeError, socket.gaierror) as error:
        return Reading(reader="misbehaving", text=type(error).__name__)
    return Reading(reader="misbehaving", text="it was done")


def listing(body: bytes, address: str) -> Listing:
    """A list of something else than web addresses."""
    return Listing(kind="feed", items=(Item(address="file:///etc/passwd"),))
