"""Connections that go only where they may, and remember every byte that passed.

The check is made on the address that is connected to, not on a name asked before: a name that answers
differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any

import httpcore

from mercwatch.capture.addresses import refused

_RESOLVERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


class ForbiddenAddress(Exception):
    """A host whose address no connection may go to."""


class TooSlow(Exception):
    """The exchange took longer than it may."""


class TooLong(Exception):
    """The answer is larger than it may be."""


class Tape:
    """What went over one connection. most: bytes that may be received; until: when it must be over."""

    def __init__(self, most: int, until: float) -> None:
        self.sent = bytearray()
        self.received = bytearray()
        self.most = most
        self.until = until

    def left(self, timeout: float | None) -> float:
        """Seconds that an operation may take; raises TooSlow where none are left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left if timeout is None else min(left, timeout)


class _Recorded(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, tape: Tape) -> None:
        self.inner = inner
        self.tape = tape

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self.inner.read(max_bytes, self.tape.left(timeout))
        self.tape.received += data
        if len(self.tape.received) > self.tape.most:
            raise TooLong
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.tape.sent += buffer
        self.inner.write(buffer, self.tape.left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self.inner.start_tls(ssl_context, server_hostname, self.tape.left(timeout))
        return _Recorded(secured, self.tape)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class Guarded(httpcore.NetworkBackend):
    """Resolves, checks, connects and records. loopback: a setting for tests alone."""

    def __init__(self, tape: Tape, loopback: bool = False) -> None:
        self.tape = tape
        self.loopback = loopback
        self.peer = ""
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A recorded connection to the first permitted address that answers; raises ForbiddenAddress."""
        problem: Exception | None = None
        for ip in self._permitted(host, port, timeout):
            try:
                stream = self._sockets.connect_tcp(
                    ip, port, self.tape.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            try:
                self.peer = stream.get_extra_info("server_addr")[0]
            except OSError as error:  # it was closed again before we could ask whom we are talking to
                stream.close()
                problem = httpcore.ConnectError(str(error))
                continue
            why = self._refused(self.peer)
            if why:
                stream.close()
                raise ForbiddenAddress(why)
            return _Recorded(stream, self.tape)
        raise problem or httpcore.ConnectError("the host has no address")

    def _permitted(self, host: str, port: int, timeout: float | None) -> list[str]:
        asked = _RESOLVERS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = asked.result(self.tape.left(timeout))
        except TooLate:
            asked.cancel()
            raise httpcore.ConnectTimeout("the host's name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(
                f"the host's name has no address: {getattr(error, 'strerror', None) or error}"
            ) from None
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        reasons = {ip: self._refused(ip) for ip in addresses}
        permitted = [ip for ip in addresses if not reasons[ip]]
        if addresses and not permitted:
            raise ForbiddenAddress(next(why for why in reasons.values() if why))
        return permitted[:4]

    def _refused(self, text: str) -> str | None:
        ip = ipaddress.ip_address(text.split("%", 1)[0])
        if self.loopback and ip.is_loopback:
            return None
        return refused(ip)
