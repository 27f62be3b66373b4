"""Reading behind walls: each document is read in a process of its own, which can do nothing but read."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from signal import Signals
from types import TracebackType
from typing import IO, Any

from mercwatch.capture.readers import wire
from mercwatch.capture.reading import Listing, ReadError, Reading

_BY_HAND = "open it by hand, and hand in its text with import-file"
_JOBS = "mercwatch.capture.readers.jobs"
_START = 60.0
_MARGIN = 15.0
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from mercwatch.capture.readers.child import main; main()"
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one document may cost. memory, output, body: bytes; cpu, wall: seconds."""

    memory: int = 1 << 30
    cpu: int = 20
    wall: float = 40.0
    output: int = 64 << 20
    body: int = 64 << 20


class Sandbox:
    """Reads documents in a child process without network, files or programs; a bad one costs only itself.

    One document at a time; the child starts at the first one, and again after it was lost. jobs: the module
    whose functions `read` and `listing` run behind the walls.
    """

    def __init__(self, bounds: Bounds = Bounds(), jobs: str = _JOBS) -> None:
        self.bounds = bounds
        self._jobs = jobs
        self._child: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                with suppress(OSError):  # what it still held was for the child that is gone
                    pipe.close()

    def read(self, body: bytes, media_type: str, address: str, day: str) -> Reading:
        """The document as a reader reads it. day: when it was fetched, YYYY-MM-DD. Raises ReadError."""
        request = {"job": "read", "media_type": media_type, "address": address, "day": day}
        try:
            return wire.unpack_reading(self._answer(request, body))
        except wire.WireError as error:
            raise ReadError(f"the reader's answer is not a reading ({error}); {_BY_HAND}") from None

    def listing(self, body: bytes, address: str) -> Listing:
        """What a feed or a sitemap lists. Raises ReadError."""
        try:
            return wire.unpack_listing(self._answer({"job": "listing", "address": address}, body))
        except wire.WireError as error:
            raise ReadError(f"the reader's answer is not a listing ({error}); look at it by hand") from None

    def _answer(self, request: dict[str, Any], body: bytes) -> bytes:
        if len(body) > self.bounds.body:
            raise ReadError(
                f"the document is larger than {self.bounds.body:,} bytes; hand in the part that matters"
            )
        with self._turn:
            try:
                child = self._child or self._start()
                outcome, answer = self._exchange(child, request, body, self.bounds.wall + _MARGIN)
            except BaseException:
                self.close()  # half an exchange is on the pipes: the next document gets a fresh child
                raise
        if outcome["state"] != "whole":
            raise ReadError(f"{self._why(outcome)}; {_BY_HAND}")
        if answer.startswith(b"E"):
            raise ReadError(" ".join(answer[1:1_000].decode("utf-8", "replace").split()))
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        if sys.platform != "linux":
            raise ReadError("documents are read on Linux only: elsewhere a reader cannot be locked in")
        path = json.dumps([os.path.abspath(entry) for entry in sys.path])  # noqa: PTH100 -- '' is here
        self._child = child = subprocess.Popen(  # noqa: S603 -- this very Python
            [sys.executable, "-s", "-P", "-c", _BOOT, path, json.dumps(asdict(self.bounds)), self._jobs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONHASHSEED": "0"},
            cwd="/",
            start_new_session=True,
        )
        greeting, _ = self._exchange(child, None, b"", _START)
        if greeting["state"] != "ready":
            why = str(greeting.get("why", ""))[:300]
            raise ReadError(f"the readers could not be started: {why or 'no reason given'}")
        return child

    def _exchange(
        self, child: subprocess.Popen[bytes], request: dict[str, Any] | None, body: bytes, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request, if there is one, and take the answer; a child that takes too long is ended."""
        given, taken = child.stdin, child.stdout
        if given is None or taken is None:
            raise ReadError(_LOST)
        watch = threading.Timer(seconds, child.kill)
        watch.daemon = True
        watch.start()
        try:
            if request is not None:
                head = json.dumps({**request, "size": len(body)}).encode()
                given.write(struct.pack(">I", len(head)) + head)
                given.write(body)
                given.flush()
            head_size, size = struct.unpack(">IQ", _exactly(taken, 12))
            if head_size > 4_096 or size > self.bounds.output:
                raise ReadError(
                    "the readers' process talks nonsense; it is started again for the next document"
                )
            outcome: dict[str, Any] = json.loads(_exactly(taken, head_size))
            return outcome, _exactly(taken, size)
        except OSError:
            raise ReadError(_LOST) from None
        finally:
            watch.cancel()

    def _why(self, outcome: dict[str, Any]) -> str:
        bounds, number = self.bounds, outcome.get("signal", 0)
        if outcome["state"] == "slow":
            return f"the reader was stopped after {bounds.wall:g} s"
        if outcome["state"] == "long":
            return f"the reader was stopped: it made more than {bounds.output:,} bytes of this document"
        if number == Signals.SIGXCPU:
            return f"the reader was stopped after {bounds.cpu} s of work"
        name = Signals(number).name if number in {*Signals} else "no signal"
        memory = f"{bounds.memory >> 20:,} MiB"
        return f"the reader broke down on this document ({name}), or needs more than {memory} for it"


_LOST = "the readers' process was lost with this document; it is started again for the next one"


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise ReadError(_LOST)
    return data
