"""Doubles on loopback: a time-stamping authority made with openssl, an archive of the web, and a small server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Thread

REPLY = "application/timestamp-reply"
_SETTINGS = """\
[req]
distinguished_name = name
prompt = no
x509_extensions = root
[name]
CN = {name}
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = {digests}
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Given:
    """An answer of the small server."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Answerer = Callable[[str, bytes], Given]
"""From a request's path and body to the answer."""


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """Bind, without asking the network what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "loopback", self.server_address[1]


@contextmanager
def serving(answer: Answerer) -> Iterator[str]:
    """A server on loopback that answers GET and POST; gives where it is, `http://127.0.0.1:PORT`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Authority:
    """A real time-stamping authority (RFC 3161) with a throw-away root; digests: the hashes that it stamps."""

    def __init__(self, folder: Path, digests: str = "sha256", days: int = 2) -> None:
        if shutil.which("openssl") is None:
            raise RuntimeError("these tests need the openssl command: apt-get install openssl")
        folder.mkdir()
        self.folder = folder
        self.roots = folder / "root.pem"
        self.settings = folder / "settings.cnf"
        self.settings.write_text(
            _SETTINGS.format(name=f"Root of {folder.name}", folder=folder, digests=digests)
        )
        (folder / "serial").write_text("01\n")
        for name in ("root", "tsa"):
            self._openssl(
                "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / f"{name}.key"
            )
        self._openssl("req", "-x509", "-new", "-key", folder / "root.key", "-out", self.roots, "-days", "2",
                      "-config", self.settings)  # fmt: skip
        self._openssl("req", "-new", "-key", folder / "tsa.key", "-out", folder / "tsa.csr", "-subj", "/CN=Stamps",
                      "-config", self.settings)  # fmt: skip
        self._openssl("x509", "-req", "-in", folder / "tsa.csr", "-CA", self.roots, "-CAkey", folder / "root.key",
                      "-set_serial", "2", "-days", str(days), "-extfile", self.settings, "-extensions", "stamping",
                      "-out", folder / "tsa.pem")  # fmt: skip

    def answer(self, query: bytes) -> bytes:
        """The signed answer to a query."""
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-config", self.settings, "-queryfile", self.folder / "query.tsq",
                      "-out", self.folder / "reply.tsr")  # fmt: skip
        return (self.folder / "reply.tsr").read_bytes()

    def verifies(self, token: Path, sha256: str) -> bool:
        """Does openssl's own command believe a token?"""
        command = [
            "openssl",
            "ts",
            "-verify",
            "-digest",
            sha256,
            "-in",
            str(token),
            "-CAfile",
            str(self.roots),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode == 0 and "Verification: OK" in done.stdout

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True)
