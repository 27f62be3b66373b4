"""The walls around one reading: limits on what it may use, and the few system calls that it may make."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from pathlib import Path

from mercwatch.framework.yaml12 import shipped

_NO_NEW_PRIVS, _SECCOMP, _FILTER, _DEATH_SIGNAL = 38, 22, 2, 1
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class WallError(OSError):
    """A wall that this system does not give; says which."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def filter_program(machine: str = "") -> bytes:
    """The kernel's filter program for this machine (BPF, 8 bytes a step); raises WallError for others."""
    machine = machine or platform.machine()
    known = shipped(Path(__file__).parent / "calls.yaml")
    if machine not in known:
        raise WallError(f"no list of system calls for {machine} machines")
    calls = sorted(known[machine]["calls"].values())
    steps = [
        (_LOAD, 0, 0, 4),  # the architecture that the call is made for
        (_EQUAL, 1, 0, known[machine]["arch"]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # the call's number
        *((_EQUAL, len(calls) - at, 0, number) for at, number in enumerate(calls)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def leave_network() -> bool:
    """Move this process into a network of its own, without interfaces; False where that is not allowed."""
    return int(_LIBC.unshare(_NEW_USER | _NEW_NET)) == 0


def die_with_parent() -> None:
    """Let the kernel end this process when the one that forked it ends."""
    _prctl(_DEATH_SIGNAL, 9, 0)


def close_in(memory: int, cpu: int, program: bytes) -> None:
    """Put limits (bytes, seconds) and the filter around this process, for good; raises WallError."""
    for kind, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, 8, 8),
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, cpu, cpu + 1),
    ):
        resource.setrlimit(kind, (soft, hard))
    _prctl(_NO_NEW_PRIVS, 1, 0)
    steps = ctypes.create_string_buffer(program, len(program))
    block = _Program(len(program) // 8, ctypes.cast(steps, ctypes.c_char_p))
    _prctl(_SECCOMP, _FILTER, ctypes.addressof(block))


def _prctl(option: int, first: int, second: int) -> None:
    if _LIBC.prctl(
        option, ctypes.c_ulong(first), ctypes.c_ulong(second), ctypes.c_ulong(0), ctypes.c_ulong(0)
    ):
        number = ctypes.get_errno()
        raise WallError(number, f"the kernel refuses prctl {option}: {os.strerror(number)}")
