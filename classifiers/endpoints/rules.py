"""Which endpoints this installation asks at all. Whoever writes a description does not decide it."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from evenhand.classifiers.endpoints.description import Endpoint
from evenhand.classifiers.errors import BadEndpoint, EndpointRefused

HOSTS, LOOPBACK = "EVENHAND_ENDPOINT_HOSTS", "EVENHAND_ENDPOINT_LOOPBACK"
NETWORKS = "EVENHAND_ENDPOINT_NETWORKS"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))
"""Where clouds hand out credentials to whoever asks from within."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What may be asked.

    Args:
        hosts: names that may be asked, "host", "host:port" or "*.domain"; None: any. The addresses behind them must be
            public all the same.
        loopback: whether this machine itself may be asked, also over http.
        networks: of addresses that are not public and may be asked all the same, over https.
    """

    hosts: tuple[str, ...] | None = None
    loopback: bool = False
    networks: tuple[Network, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The rules that the variables EVENHAND_ENDPOINT_HOSTS, _NETWORKS and _LOOPBACK set; hosts set to nothing allow none.

        Raises:
            BadEndpoint: what stands for a network is none.
        """
        env = os.environ if environment is None else environment
        listed = env.get(HOSTS)
        hosts = None if listed is None else tuple(host.strip().lower() for host in listed.split(",") if host.strip())
        networks = tuple(_network(each.strip()) for each in (env.get(NETWORKS) or "").split(",") if each.strip())
        loopback = (env.get(LOOPBACK) or "").lower() in {"1", "true", "yes", "on"}
        return cls(hosts=hosts, loopback=loopback, networks=networks)

    def open(self, address: Address) -> bool:
        """Whether an address that is not public may be asked.

        This machine, link-local addresses, and those where clouds hand out credentials are opened by a network of that
        one address alone, and never by a larger one around it.
        """
        if address.is_multicast or address.is_unspecified or (address.version == 4 and address.is_reserved):
            return False
        alone = address.is_loopback or address.is_link_local or address in METADATA
        return any(address in network and (network.num_addresses == 1 or not alone) for network in self.networks)

    def check(self, endpoint: Endpoint) -> None:
        """Whether the description alone, before any name is looked up, is within the rules.

        Raises:
            EndpointRefused: http, a host that is not listed, or a secret for a host that is not listed.
        """
        if endpoint.parts.scheme == "http" and not self.loopback:
            raise EndpointRefused(
                host=endpoint.host,
                problem="http is not encrypted",
                instead=f"Use https. {LOOPBACK}=1 allows http to this machine itself",
            )
        if self.hosts is None:
            if endpoint.headers:
                raise EndpointRefused(
                    host=endpoint.host,
                    problem="secrets in headers are sent only to hosts that are listed",
                    instead=f"Set {HOSTS}={endpoint.host}",
                )
            return
        if not any(_matches(endpoint, host) for host in self.hosts):
            named = ", ".join(self.hosts) or "no host"
            raise EndpointRefused(
                host=endpoint.host, problem=f"{HOSTS} lists {named}", instead=f"Add {endpoint.host} to it"
            )


def secrets_of(endpoint: Endpoint, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of an endpoint with their values, read when they are sent.

    Raises:
        BadEndpoint: a variable is not set, or holds what no header can.
    """
    env = os.environ if environment is None else environment
    values = {}
    for header, variable in endpoint.headers.items():
        value = env.get(variable)
        if not value:
            raise BadEndpoint(
                key=f"headers.{header}",
                problem=f"the environment variable {variable} is not set",
                instead="Set it where the audit runs",
            )
        if not value.isascii() or not value.isprintable():
            problem = f"the environment variable {variable} holds characters that no header can"
            raise BadEndpoint(key=f"headers.{header}", problem=problem, instead="Set it to one line of ASCII")
        values[header] = value
    return values


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        raise BadEndpoint(
            key=NETWORKS, problem=str(problem), instead="Write networks as 10.20.0.0/16, with commas between"
        ) from None


def _matches(endpoint: Endpoint, pattern: str) -> bool:
    host = endpoint.host.lower().rstrip(".")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in (host, f"{host}:{endpoint.port}")
