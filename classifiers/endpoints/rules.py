"""Which endpoints this installation asks at all. Whoever writes a description does not decide it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from evenhand.classifiers.endpoints.description import Endpoint
from evenhand.classifiers.errors import BadEndpoint, EndpointRefused

HOSTS, LOOPBACK = "EVENHAND_ENDPOINT_HOSTS", "EVENHAND_ENDPOINT_LOOPBACK"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What may be asked.

    Args:
        hosts: names that may be asked, "host", "host:port" or "*.domain"; None: any. The addresses behind them must be
            public all the same.
        loopback: whether this machine itself may be asked, also over http.
    """

    hosts: tuple[str, ...] | None = None
    loopback: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The rules that EVENHAND_ENDPOINT_HOSTS and EVENHAND_ENDPOINT_LOOPBACK set; hosts set to nothing allow none."""
        env = os.environ if environment is None else environment
        listed = env.get(HOSTS)
        hosts = None if listed is None else tuple(host.strip().lower() for host in listed.split(",") if host.strip())
        return cls(hosts=hosts, loopback=(env.get(LOOPBACK) or "").lower() in {"1", "true", "yes", "on"})

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


def _matches(endpoint: Endpoint, pattern: str) -> bool:
    host = endpoint.host.lower().rstrip(".")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in (host, f"{host}:{endpoint.port}")
