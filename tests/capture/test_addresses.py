"""Addresses: only public web servers are asked, however a machine of ours is written, and whoever names it."""

from __future__ import annotations

import ipaddress
import socket
from functools import cache
from typing import Any

import pytest

from capture.server import Server, ok
from mercwatch.capture.addresses import PORTS, AddressError, refused, target
from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.fetching import Fetcher

MACHINES_OF_OURS = """
0.0.0.0 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 169.254.169.254 169.254.170.2
168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.1.1 192.88.99.1 198.18.0.1 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 3fff::1 100::1 5f00::1 4000::1
::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:c0a8:101::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:20::1
"""

PUBLIC_MACHINES = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 223.255.255.255 2606:4700::1111 2a00:1450:4001::1
::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
"""

ODD_SPELLINGS = """
http://2130706433:8080/ http://0x7f000001:8080/ http://0x7f.1:8080/ http://0177.0.0.1:8080/ http://127.1:8080/
http://0:8080/ http://127.0.0.1.:8080/ http://１２７.０.０.１:8080/ http://127。0。0。1:8080/ http://ⓛocalhost:8080/
http://localhost:8080/ http://LOCALHOST.:8080/ http://[::1]:8080/ http://[0:0:0:0:0:0:0:1]:8080/
http://[::ffff:7f00:1]:8080/ http://[::ffff:127.0.0.1]:8080/ http://[::127.0.0.1]:8080/ http://[fe80::1%25lo]:8080/
http://[64:ff9b::7f00:1]:8080/ http://[2002:7f00:1::]:8080/ http://2852039166:8080/ http://0xA9FEA9FE:8080/
http://169.254.169.254:80/latest/ http://[fd00:ec2::254]/ http://100.100.100.200/ http://168.63.129.16/
"""

NO_ADDRESSES = [
    "",
    "gazette.example/law",
    "//gazette.example/",
    "http:///law",
    "http://:80/",
    "http://?a",
    "ftp://gazette.example/",
    "file:///etc/passwd",
    "gopher://gazette.example/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "HTTPX://gazette.example/",
    "http://user@gazette.example/",
    "http://user:word@gazette.example/",
    "http://@gazette.example/",
    "http://gazette.example@127.0.0.1/",
    "http://gazette.example:22/",
    "http://gazette.example:0/",
    "http://gazette.example:65536/",
    "http://gazette.example:-1/",
    "http://gazette.example:８０/",
    "http://gazette.example:80a/",
    "http://gazette example/",
    "http://gazette.example/a b",
    "http://gazette.example/a\r\nHost: b",
    "http://gazette.example/a\nb",
    "http://gazette.example/a\tb",
    "http://gazette.example/a\0b",
    "http://gazette.example\\@127.0.0.1/",
    "http://gazette.example/\ud800",
    "http://gaz%65tte.example/",
    "http://gazette..example/",
    "http://.gazette.example/",
    "http://-gazette.example/",
    "http://gazette.example／law",
    "http://[::1/",
    "http://[::1]a/",
    "http://[v1.a]/",
    "http://[127.0.0.1]/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 127 + "example/",
    "http://gazette.example/" + "a" * 2_000,
]


@pytest.mark.parametrize("machine", MACHINES_OF_OURS.split())
def test_no_connection_goes_to_a_machine_that_is_not_public(machine: str) -> None:
    assert refused(ipaddress.ip_address(machine))


@pytest.mark.parametrize("machine", PUBLIC_MACHINES.split())
def test_a_public_machine_is_not_refused(machine: str) -> None:
    assert refused(ipaddress.ip_address(machine)) is None


@pytest.mark.parametrize("address", ODD_SPELLINGS.split())
def test_an_odd_spelling_of_a_machine_of_ours_is_refused(address: str) -> None:
    with pytest.raises(FetchError) as caught:
        _fetcher().fetch(address)
    assert caught.value.reason == "forbidden-address"


@pytest.mark.parametrize("address", NO_ADDRESSES, ids=lambda address: ascii(address)[:60])
def test_what_is_no_address_of_a_page_is_said_to_be_none(address: str) -> None:
    with pytest.raises(AddressError) as refusal:
        target(address)
    assert str(refusal.value).isprintable()
    with pytest.raises(FetchError) as caught:
        _fetcher().fetch(address)
    assert caught.value.reason == "no-address"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://gazette.example", "http://gazette.example/"),
        ("HTTPS://Gazette.Example:443/Law?a=b#c", "https://gazette.example/Law?a=b"),
        ("http://gazette.example.:8080/", "http://gazette.example:8080/"),
        ("https://été.example/loi/é?q=ü", "https://xn--t-9fab.example/loi/%C3%A9?q=%C3%BC"),
        ("http://gazette.example/%2e%2e/a", "http://gazette.example/%2e%2e/a"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("  https://gazette.example/law\n", "https://gazette.example/law"),
    ],
)
def test_an_address_is_asked_in_one_spelling(address: str, asked: str) -> None:
    assert target(address).text == asked
    assert target(asked).text == asked


def test_only_ports_of_public_pages_are_asked() -> None:
    asked = {
        port
        for port in (*range(1_100), *range(8_000, 8_500), 65_535, 65_536)
        if _allowed(f"http://gazette.example:{port}/")
    }
    assert asked == PORTS


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is checked, loopback when it is used."""
    origin = server.listen({"/robots.txt": ok(b"secret"), "/": ok(b"secret")})
    port = int(origin.rpartition(":")[2])
    answers = iter(["192.0.2.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"])
    names: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        names.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("mercwatch.capture.connecting.refused", _documentation_is_public)
    monkeypatch.setattr("mercwatch.capture.fetching.PORTS", frozenset({port}))
    fetcher = _fetcher(robots=False)
    for _ in range(2):
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(f"http://rebinding.example:{port}/")
    assert caught.value.reason == "forbidden-address"
    assert "rebinding.example" in names
    assert server.asked["/"] == 0


def test_a_name_with_a_public_and_a_private_address_is_asked_at_the_public_one_only(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = server.listen({"/both": ok(b"secret")})
    port = int(origin.rpartition(":")[2])

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        found = ["127.0.0.1", "192.0.2.1"] if host == "both.example" else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("mercwatch.capture.connecting.refused", _documentation_is_public)
    monkeypatch.setattr("mercwatch.capture.fetching.PORTS", frozenset({port}))
    with pytest.raises(FetchError) as caught:
        _fetcher(robots=False).fetch(f"http://both.example:{port}/both")
    assert caught.value.reason in ("no-answer", "too-slow")
    assert server.asked["/both"] == 0


def test_without_the_setting_loopback_is_not_asked(server: Server) -> None:
    origin = server.listen({"/": ok(b"secret")})
    with pytest.raises(FetchError) as caught:
        _fetcher(robots=False).fetch(origin + "/")
    assert caught.value.reason == "no-address"  # its port alone is refused


def test_with_the_setting_loopback_is_asked_in_both_families(server: Server, rules: Rules) -> None:
    for host in ("127.0.0.1", "::1"):
        origin = server.listen({"/": ok(host.encode())}, host=host)
        assert Fetcher(rules).fetch(origin + "/").body == host.encode()


def test_the_setting_for_loopback_opens_no_other_private_network(rules: Rules) -> None:
    with pytest.raises(FetchError) as caught:
        Fetcher(rules).fetch("http://169.254.169.254:8080/")
    assert caught.value.reason == "forbidden-address"


@cache
def _fetcher(robots: bool = True) -> Fetcher:
    rules = Rules(
        contact="test@example.org", pace=0, retries=0, back_off=0, seconds=5, connect=0.3, robots=robots
    )
    return Fetcher(rules)


def _allowed(address: str) -> bool:
    try:
        target(address)
    except AddressError:
        return False
    return True


def _documentation_is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    return None if str(ip) == "192.0.2.1" else refused(ip)
