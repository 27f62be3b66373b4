"""The child process: it loads the readers once, and forks a process behind walls for each document."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from mercwatch.capture.readers import walls, wire
from mercwatch.capture.reading import Listing, ReadError, Reading

GREETING = "ready"
_ERROR = b"E"

Job = Callable[[], Reading | Listing]


def main() -> None:
    """Answer requests from standard input until it ends. argv: bounds (JSON), module of the jobs."""
    bounds: dict[str, Any] = json.loads(sys.argv[-2])
    given, taken = sys.stdin.buffer, sys.stdout.buffer
    try:
        jobs = importlib.import_module(sys.argv[-1])
        jobs.warm()
        program = walls.filter_program()
        walls.leave_network()  # a second wall, where the system gives it; the filter is the first
    except (ImportError, OSError) as error:
        _send(taken, {"state": "failed", "why": str(error)[:300]}, b"")
        return
    # What is loaded by now is shared by all forks; the collector would copy its pages by touching them.
    gc.collect()
    gc.freeze()
    _send(taken, {"state": GREETING}, b"")
    while head := given.read(4):
        (size,) = struct.unpack(">I", head)
        request = json.loads(given.read(size))
        body = given.read(request.pop("size"))
        job: Callable[..., Any] = getattr(jobs, request.pop("job"))
        outcome, answer = _read_in_fork(partial(job, body, **request), bounds, program)
        _send(taken, outcome, answer)


def _send(out: BinaryIO, outcome: dict[str, Any], answer: bytes) -> None:
    head = json.dumps(outcome).encode()
    out.write(struct.pack(">IQ", len(head), len(answer)))
    out.write(head)
    out.write(answer)
    out.flush()


def _read_in_fork(job: Job, bounds: dict[str, Any], program: bytes) -> tuple[dict[str, Any], bytes]:
    """How one document's process ended, and what it wrote."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        _work(theirs, job, bounds, program)
    os.close(theirs)
    try:
        state, answer = _collected(ours, bounds["output"], time.monotonic() + bounds["wall"])
    finally:
        os.close(ours)
        if process > 0:
            os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if state == "whole" and not answer:
        state = "died"
    return {"state": state, "signal": died}, answer if state == "whole" else b""


def _collected(pipe: int, most: int, until: float) -> tuple[str, bytes]:
    """All that is written to a pipe until its other end is closed, within a size and a time."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    waiting.register(0, 0)  # only told when nobody listens to us any more
    parts: list[bytes] = []
    size = 0
    while True:
        left = until - time.monotonic()
        ready = dict(waiting.poll(max(0, left) * 1000)) if left > 0 else {}
        if 0 in ready:
            sys.exit()
        if pipe not in ready:
            return "slow", b""
        part = os.read(pipe, 1 << 20)
        if not part:
            return "whole", b"".join(parts)
        size += len(part)
        if size > most:
            return "long", b""
        parts.append(part)


def _work(out: int, job: Job, bounds: dict[str, Any], program: bytes) -> None:
    """Read one document and end; never returns."""
    answer = _ERROR + f"the reader needs more than {bounds['memory'] >> 20:,} MiB of memory for it".encode()
    try:
        walls.die_with_parent()
        os.dup2(out, 0)
        os.closerange(1, 1024)
        walls.close_in(bounds["memory"], bounds["cpu"], program)
        answer = wire.pack(job())
    except ReadError as error:
        answer = _ERROR + str(error).encode("utf-8", "replace")
    except walls.WallError as error:
        answer = _ERROR + f"this system cannot lock a reader in ({error})".encode("utf-8", "replace")
    except MemoryError:
        pass  # the answer for that is made already, while there was memory
    except BaseException as error:  # whatever a library throws at a hostile document is that document's end
        answer = _ERROR + f"the reader failed on it ({type(error).__name__})".encode()
    finally:
        _end(answer)


def _end(answer: bytes) -> None:
    try:
        rest = memoryview(answer)
        while rest:
            rest = rest[os.write(0, rest) :]
    finally:
        os._exit(0)
