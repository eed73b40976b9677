"""Connections to public addresses alone: the name is resolved once, and what was looked at is what is connected to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from assay.data.errors import DataError
from assay.data.sources.context import from_environment
from assay.serve.outputs.errors import OutputFails, OutputSettings, PrivateAddress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

LONGEST = 30.0
"""Seconds that one message may take, all of it."""
_SECONDS = 10.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def in_environment(url: str) -> str:
    """An address, or what the variable that it names holds; raises `OutputSettings` if it holds nothing."""
    try:
        return from_environment(url, "its url")
    except DataError as error:
        raise OutputSettings(error.what, error.todo) from None


def connect(host: str, port: int, *, tls: bool, local: bool) -> socket.socket:
    """A connection to the host; with `tls` its certificate is that of the host's name.

    Every address that the name has must be public, and the one that was looked at is used: a name that leads elsewhere
    the next time it is asked for changes nothing.

    Parameters
    ----------
    local
        Whether any address will do.

    Raises
    ------
    PrivateAddress
        The name leads to this machine or into a private network.
    OutputFails
        Nobody answers.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutputFails(f"the name {host:.80} leads nowhere ({error})", "Check the url.") from None
    numbers = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    for number in numbers:
        if not local and not is_public(number):
            raise PrivateAddress(
                f"{host:.80} leads to {number}, which is no public address",
                "Give a public one; for development write local = true.",
            )
    try:
        made = _first_of(numbers, port)
        with within(made):
            return ssl.create_default_context().wrap_socket(made, server_hostname=host) if tls else made
    except (OSError, ValueError) as error:
        raise OutputFails(f"{host:.80} does not answer ({error})", "It is tried again.") from None


def _first_of(numbers: list[str], port: int) -> socket.socket:
    """A connection to the first address that takes one; raises the last one's OSError."""
    for number in numbers[:-1]:
        with suppress(OSError):
            return socket.create_connection((number, port), _SECONDS)
    return socket.create_connection((numbers[-1], port), _SECONDS)


@contextmanager
def within(made: socket.socket) -> Iterator[None]:
    """End a connection that is not done with this in time: whoever sends a byte now and then is never silent."""
    spare = socket.fromfd(made.fileno(), made.family, made.type)  # the same connection, whatever is wrapped around it
    over = threading.Timer(LONGEST, _cut, (spare,))
    over.start()
    try:
        yield
    finally:
        over.cancel()
        over.join()
        spare.close()


def _cut(spare: socket.socket) -> None:
    with suppress(OSError):
        spare.shutdown(socket.SHUT_RDWR)


def is_public(number: str) -> bool:
    """Whether an address is of the public internet; one that stands for an IPv4 address, if that is."""
    found = ipaddress.ip_address(number)
    inner = _within(found)
    if inner is not None:
        return is_public(str(inner))
    reserved = found.is_private or found.is_loopback or found.is_link_local or found.is_multicast
    return found.is_global and not reserved and not found.is_reserved and not found.is_unspecified


def _within(found: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if found.version == 4:
        return None
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    teredo = found.teredo
    return found.ipv4_mapped or found.sixtofour or (teredo[1] if teredo else None)
