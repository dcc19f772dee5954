"""Writing to and reading from a child at the same time, until a deadline, so that neither side can block the other."""

import os
import selectors
import subprocess
import time

CHUNK = 1 << 16
REMEMBERED = 4000


class TooLate(Exception):
    """The deadline passed first."""


class Ended(Exception):
    """The child closed its end."""


class Pipes:
    """The three standard streams of a child; what it prints as errors is drained, and the end of it kept.

    Args:
        child: started with pipes for all three.
    """

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        if child.stdin is None or child.stdout is None or child.stderr is None:
            raise TypeError("the child was started without pipes")
        self._input, self._output, self._errors = (pipe.fileno() for pipe in (child.stdin, child.stdout, child.stderr))
        for descriptor in (self._input, self._output, self._errors):
            os.set_blocking(descriptor, False)
        self._errors_open = True
        self._said = b""

    def exchange(self, request: bytes, count: int, deadline: float) -> bytes:
        """Write all of `request` and read exactly `count` bytes.

        Raises:
            TooLate: `deadline` (of time.monotonic) passed.
            Ended: the child closed its end.
        """
        unsent, received = memoryview(request), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if self._errors_open:
                selector.register(self._errors, selectors.EVENT_READ)
            if unsent:
                selector.register(self._input, selectors.EVENT_WRITE)
            while unsent or len(received) < count:
                for key, _ in self._ready(selector, deadline):
                    if key.fd == self._input:
                        unsent = self._write(unsent)
                        if not unsent:
                            selector.unregister(self._input)
                    elif key.fd == self._errors:
                        if not self._drain():
                            selector.unregister(self._errors)
                    elif len(received) < count:
                        received += self._read(min(CHUNK, count - len(received)))
                    else:
                        raise Ended  # it answers before it was asked: no protocol of ours
        return bytes(received)

    def last_words(self) -> str:
        """The end of what the child printed as errors."""
        while self._errors_open and self._drain():
            pass
        return self._said.decode(errors="replace").strip()

    def _ready(self, selector: selectors.BaseSelector, deadline: float) -> list[tuple[selectors.SelectorKey, int]]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooLate
        return selector.select(left)

    def _write(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._input, unsent[:CHUNK]) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            raise Ended from None

    def _read(self, count: int) -> bytes:
        got = os.read(self._output, count)
        if not got:
            raise Ended
        return got

    def _drain(self) -> bool:
        """Read what is there of the errors; whether more may come."""
        try:
            got = os.read(self._errors, CHUNK)
        except BlockingIOError:
            return False
        self._errors_open = bool(got)
        self._said = (self._said + got)[-REMEMBERED:]
        return self._errors_open
