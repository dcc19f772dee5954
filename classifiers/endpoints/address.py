"""From the name of a host to the one address that is asked, and to no other machine than the public one it names.

A name is looked up once. Connecting to what was checked, and not to the name, leaves nothing for a second answer to
change (DNS rebinding). Refused are all addresses that the IANA special-purpose registries do not call global, but for
those in networks that this installation names.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

from evenhand.classifiers.endpoints.description import Endpoint
from evenhand.classifiers.endpoints.rules import LOOPBACK, NETWORKS, Address, Rules
from evenhand.classifiers.errors import EndpointFailed, EndpointRefused

Resolver = Callable[[str, int], Sequence[str]]

NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def looked_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def address_of(endpoint: Endpoint, *, rules: Rules, resolver: Resolver = looked_up) -> str:
    """The address to connect to.

    Raises:
        EndpointRefused: any of the host's addresses is one that may not be asked.
        EndpointFailed: the name is not known.
    """
    try:
        found = resolver(endpoint.host, endpoint.port)
    except (OSError, UnicodeError) as problem:
        raise EndpointFailed(host=endpoint.host, problem=f"its name cannot be looked up ({problem})") from None
    if not found:
        raise EndpointFailed(host=endpoint.host, problem="its name has no address")
    for text in found:
        _check(endpoint, text, rules)
    return found[0]


def _check(endpoint: Endpoint, text: str, rules: Rules) -> None:
    try:
        address = ipaddress.ip_address(text)
        meant = _meant(address)
    except ValueError:
        raise EndpointRefused(
            host=endpoint.host, problem=f"{text!r} is no address", instead="Name another host"
        ) from None
    if meant.is_loopback and rules.loopback:
        return
    is_public = meant.is_global and not (meant.is_multicast or meant.is_reserved or meant.is_unspecified)
    is_reached_as_itself = meant in (address, getattr(address, "ipv4_mapped", None))  # and through no tunnel
    if not is_public and not (is_reached_as_itself and rules.open(meant)):
        way = f"{LOOPBACK}=1 allows this machine itself" if meant.is_loopback else f"{NETWORKS} opens networks of yours"
        raise EndpointRefused(
            host=endpoint.host,
            problem=f"{text} is {_kind(meant)}, and only public addresses are asked",
            instead=f"Name a host that is public ({way})",
        )
    if endpoint.parts.scheme == "http":
        raise EndpointRefused(host=endpoint.host, problem="http is for this machine alone", instead="Use https")


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFFFFFF
    if any(address in network for network in NAT64) or (int(address) >> 32 == 0 and low > 1):
        return ipaddress.IPv4Address(low)
    return address


def _kind(address: Address) -> str:
    kinds = {
        "this machine itself": address.is_loopback,
        "link-local": address.is_link_local,
        "no address": address.is_unspecified,
        "a group of machines": address.is_multicast,
        "private": address.is_private,
    }
    return next((kind for kind, holds in kinds.items() if holds), "reserved")
