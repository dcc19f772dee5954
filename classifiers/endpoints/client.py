"""Asking an endpoint again and again: retries, the rate limit, and the budget of queries."""

import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evenhand.classifiers.endpoints.address import Resolver, address_of, looked_up
from evenhand.classifiers.endpoints.connection import Answer, TimeIsUp, post
from evenhand.classifiers.endpoints.description import Endpoint
from evenhand.classifiers.endpoints.rules import Rules, secrets_of
from evenhand.classifiers.errors import EndpointFailed, QueriesSpent, WrongOutput

MOST_ANSWER_BYTES = 64 * 1024 * 1024
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
IN_PASSING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Surroundings:
    """What a client uses of the world, to be replaced where it is tested.

    Args:
        resolver: from a host and a port to addresses.
        context: how certificates are checked; None as the system does.
        clock, sleep: seconds.
    """

    resolver: Resolver = looked_up
    context: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Client:
    """Sends bodies to one endpoint and returns what it answers. The host's name is looked up once, at the first one.

    Args:
        endpoint: whom to ask.
        rules: what may be asked.
        seed: of the jitter between retries.
        surroundings: the world.

    Raises:
        EndpointRefused: by the rules.

    Attributes:
        sent: rows or pictures that were sent, those sent again included.
    """

    def __init__(
        self, endpoint: Endpoint, *, rules: Rules, seed: int = 0, surroundings: Surroundings | None = None
    ) -> None:
        rules.check(endpoint)
        self.endpoint, self.sent = endpoint, 0
        self._rules, self._around = rules, surroundings or Surroundings()
        self._jitter = np.random.default_rng(seed)
        self._address: str | None = None
        self._next_at = float("-inf")

    def ask(self, body: bytes, *, rows: int) -> bytes:
        """The body of the answer to one request.

        Args:
            body: JSON.
            rows: that it holds, for the budget.

        Raises:
            EndpointRefused: the host's addresses may not be asked.
            EndpointFailed: no answer after the retries, or one that says no.
            QueriesSpent: it would be more rows than the budget has left.
            WrongOutput: the answer is longer than is read, or compressed.
        """
        host = self.endpoint.host
        for attempt in range(self.endpoint.retries + 1):
            answer, problem = self._try(body, rows)
            if answer is not None and answer.status == 200:
                return self._whole(answer)
            if answer is not None and answer.status not in IN_PASSING:
                raise EndpointFailed(host=host, problem=_words(answer.status))
            if attempt < self.endpoint.retries:
                self._around.sleep(self._pause(attempt, answer))
        tries = f" ({self.endpoint.retries + 1} tries)" if self.endpoint.retries else ""
        raise EndpointFailed(host=host, problem=f"{problem}{tries}")

    def _try(self, body: bytes, rows: int) -> tuple[Answer | None, str]:
        """The answer, or None; and what is wrong where it is none, or no good one."""
        if self.sent + rows > self.endpoint.queries:
            raise QueriesSpent(host=self.endpoint.host, sent=self.sent, wanted=rows, budget=self.endpoint.queries)
        if self._address is None:
            self._address = address_of(self.endpoint, rules=self._rules, resolver=self._around.resolver)
        headers = secrets_of(self.endpoint)
        self._take_turn()
        self.sent += rows
        try:
            answer = post(
                self.endpoint,
                self._address,
                body,
                headers=headers,
                most_bytes=MOST_ANSWER_BYTES,
                context=self._around.context,
            )
        except (TimeIsUp, TimeoutError):
            return None, f"it did not answer within {self.endpoint.timeout_seconds:g} seconds"
        except ssl.SSLCertVerificationError as problem:
            said = f"its certificate is not accepted ({problem.verify_message})"
            raise EndpointFailed(host=self.endpoint.host, problem=said) from None
        except (OSError, http.client.HTTPException) as problem:
            return None, f"the connection failed ({type(problem).__name__}: {str(problem)[:200]})"
        return answer, _words(answer.status)

    def _whole(self, answer: Answer) -> bytes:
        if answer.encoding:
            raise WrongOutput(
                name=self.endpoint.host,
                expected="JSON that is not compressed",
                got=f"encoding {answer.encoding[:40]!r}",
            )
        if len(answer.body) > MOST_ANSWER_BYTES:
            expected = f"at most {MOST_ANSWER_BYTES:,} bytes"
            raise WrongOutput(name=self.endpoint.host, expected=expected, got="more; name a smaller `batch`")
        return answer.body

    def _take_turn(self) -> None:
        if self.endpoint.per_second is None:
            return
        now = self._around.clock()
        if now < self._next_at:
            self._around.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 1 / self.endpoint.per_second

    def _pause(self, attempt: int, answer: Answer | None) -> float:
        """Twice as long after each try, by half of it at random ("equal jitter"); at least what the server asks for."""
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0**attempt)
        asked = (answer.retry_after_seconds or 0.0) if answer is not None else 0.0
        return max(min(asked, LONGEST_WAIT_SECONDS), float(self._jitter.uniform(longest / 2, longest)))


def _words(status: int) -> str:
    if 300 <= status < 400:
        return f"it answered {status}, another address, and redirects are not followed; describe that address instead"
    reason = http.client.responses.get(status, "")
    return f"it answered {status} {reason}".rstrip()
