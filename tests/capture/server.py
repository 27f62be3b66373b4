"""A hostile server on loopback: it answers with raw bytes, drips, stalls, lies, and never by the book."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
_CUT = (OSError, ssl.SSLError)


@dataclass
class Talk:
    """One connection. path: what was asked; number: how often it was, from 1; head: the request's head."""

    sock: socket.socket
    stop: threading.Event
    path: str = ""
    number: int = 0
    head: bytes = b""

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self.sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        """Send one byte at a time, until the other side goes away or the server stops."""
        for at in range(len(data)):
            if self.stop.wait(every):
                return
            self.send(data[at : at + 1])

    def flood(self, data: bytes, head: bytes = b"") -> None:
        """Send the same bytes without end, until the other side goes away."""
        self.send(head)
        while not self.stop.is_set():
            self.send(data)

    def hang(self) -> None:
        """Say nothing until the other side goes away."""
        while self.sock.recv(1_000):
            pass

    def reset(self) -> None:
        """Break the connection: the other side sees a reset, not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Answer = bytes | Callable[[Talk], None]


@dataclass
class Listener:
    """One origin of the server. raw: it answers to the connection itself, without reading a request."""

    sock: socket.socket
    answers: dict[str, Answer]
    origin: str
    tls: ssl.SSLContext | None = None
    raw: Callable[[Talk], None] | None = None


@dataclass
class Server:
    """Any number of origins on loopback, each with answers by path; `asked` counts, `heads` remembers."""

    asked: Counter[str] = field(default_factory=Counter)
    heads: list[bytes] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _listeners: list[Listener] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def listen(
        self,
        answers: dict[str, Answer],
        tls: ssl.SSLContext | None = None,
        raw: Callable[[Talk], None] | None = None,
        host: str = "127.0.0.1",
    ) -> str:
        """A new origin with these answers, as `http://127.0.0.1:PORT`; answers may be added later."""
        sock = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
        )
        name = f"[{host}]" if ":" in host else host
        origin = f"{'https' if tls or raw else 'http'}://{name}:{sock.getsockname()[1]}"
        listener = Listener(sock, answers, origin, tls, raw)
        self._listeners.append(listener)
        self._run(lambda: self._accept(listener))
        return origin

    def close(self) -> None:
        """Let every connection end."""
        self.stop.set()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.sock.shutdown(socket.SHUT_RDWR)
            listener.sock.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: Listener) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = listener.sock.accept()
            except OSError:
                return
            self._run(lambda sock=sock: self._serve(listener, sock))  # type: ignore[misc]

    def _serve(self, listener: Listener, plain: socket.socket) -> None:
        sock = plain
        try:
            sock.settimeout(30)
            if listener.raw:
                return listener.raw(Talk(sock, self.stop))
            if listener.tls:
                sock = listener.tls.wrap_socket(sock, server_side=True)
            talk = self._heard(sock)
            answer = listener.answers.get(talk.path, NOT_FOUND)
            if callable(answer):
                answer(talk)
            else:
                talk.send(answer)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
                talk.hang()  # the other side closes first: what we sent is not lost to a reset
        except _CUT:
            pass
        finally:
            sock.close()
            plain.close()

    def _heard(self, sock: socket.socket) -> Talk:
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(65_536)
            if not part:
                raise OSError("nothing was asked")
            head += part
        path = head.split(b" ", 2)[1].decode("latin-1")
        self.heads.append(head)
        self.asked[path] += 1
        return Talk(sock, self.stop, path, self.asked[path], head)


def ok(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A well-formed answer; headers as `Name: value`."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def chunked(body: bytes, size: int = 5) -> bytes:
    """A body in chunks of so many bytes."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Certificates:
    """A root of our own, and what the server shows with it. root: a PEM file."""

    root: Path
    good: ssl.SSLContext
    expired: ssl.SSLContext
    other_host: ssl.SSLContext
    self_signed: ssl.SSLContext


def certificates(folder: Path) -> Certificates:
    """Make a root certificate, and server certificates that are good and bad, in a folder."""
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Test root", root_key, None, (now - day, now + 30 * day), None)
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def context(name: str, host: str, until: datetime.datetime, signed: bool = True) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key, host, (now - 20 * day, until), (root, root_key) if signed else None)
        path = folder / f"{name}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(path)
        return found

    return Certificates(
        folder / "root.pem",
        context("good", "127.0.0.1", now + 9 * day),
        context("expired", "127.0.0.1", now - day),
        context("other-host", "gazette.example", now + 9 * day),
        context("self-signed", "127.0.0.1", now + 9 * day, signed=False),
    )


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    host: str | None,
    span: tuple[datetime.datetime, datetime.datetime],
    by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    return builder.sign(by[1] if by else key, hashes.SHA256())


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server, until the end of the block."""
    server = Server()
    try:
        yield server
    finally:
        server.close()
