"""How commands fail: one line that says what is wrong, and the exit code of the one table."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import click

from evenhand.auditors.gate import EXIT_FAILURE, EXIT_INPUT, EXIT_MEANING

GRACE_SECONDS = 5.0
STOPPED, READER_LEFT = 130, 141
"""Exit codes, as shells give them: stopped by the keyboard; nobody reads what is printed."""

_OF_THE_MACHINE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG),
}
"""What a file system refuses that whoever calls can mend."""


@dataclass(frozen=True)
class Work:
    """What a command does, for the line that says what an exit code means: '`noun` itself failed'.

    Attributes:
        noun: what it does.
        undone: what did not happen where its input was wrong.
    """

    noun: str
    undone: str

    def meaning(self, code: int) -> str:
        """EXIT_MEANING in this command's words."""
        if self == AUDIT:
            return EXIT_MEANING[code]
        if code == EXIT_INPUT:
            return f"the input or the configuration is wrong; {self.undone}"
        return f"{self.noun} itself failed"


AUDIT = Work("the audit", "nothing was audited")


class TimedOut(BaseException):
    """The audit took longer than --timeout. No `except Exception` on the way is to take it for something else."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the audit did not end within {seconds:g} seconds and was stopped. Raise --timeout, or audit less."
        )


@contextmanager
def failing_clearly(work: Work) -> Iterator[None]:
    """Turn what goes wrong inside into a message on stderr and an exit code; nothing else is printed or written.

    `work` gives the words for what the command would have done.
    """
    from evenhand.service.errors import problem_of

    try:
        yield
    except (click.ClickException, click.exceptions.Exit, SystemExit):
        raise
    except KeyboardInterrupt:
        _leave(f"stopped by the keyboard; {work.undone}", STOPPED, work)
    except TimedOut as error:
        _leave(str(error), EXIT_FAILURE, work)
    except BrokenPipeError:
        print_nothing_more()
        sys.exit(READER_LEFT)
    except Exception as error:
        if refused := _refused_by_the_machine(error):
            _leave(refused, EXIT_INPUT, work)
        problem = problem_of(error)
        if problem.status >= 500 and problem.type.endswith("internal-error"):
            import traceback

            traceback.print_exc()
            _leave(f"{type(error).__name__}: {error}", EXIT_FAILURE, work)
        _leave(problem.detail, problem.exit_code, work)


def _refused_by_the_machine(error: Exception) -> str | None:
    """What to say of a file or a database that cannot be used; None for any other error."""
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "the output"
        return (
            f"{name}: {error.strerror}. Check that the path is right, that it may be read and written, and that the disk "
            "has room."
        )
    if "sqlalchemy" in sys.modules:
        from sqlalchemy.exc import OperationalError

        if isinstance(error, OperationalError):
            reason = " ".join(str(error.orig).split())
            return (
                f"the database cannot be used: {reason.rstrip('.?')}. Check that EVENHAND_HOME and EVENHAND_DATABASE_URL are "
                "right, that the database runs and may be written, and that the disk has room."
            )
    return None


def print_nothing_more() -> None:
    """Let what would still be printed go nowhere, since nobody reads it; Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(message: str, code: int, work: Work) -> None:
    from evenhand.service.render.words import on_lines

    click.secho("error: ", fg="red", bold=True, err=True, nl=False)
    click.echo(on_lines(message), err=True)  # it may quote what stands in the data
    if code in (EXIT_INPUT, EXIT_FAILURE):
        click.echo(f"exit {code}: {work.meaning(code)}", err=True)
    sys.exit(code)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TimedOut inside the block after so many seconds; None sets no limit.

    Where that cannot be raised, since some library does not return, the process ends GRACE_SECONDS later all the same. Its
    children end with it.
    """
    if seconds is None:
        yield
        return
    watchdog = threading.Timer(seconds + GRACE_SECONDS, _give_up, [seconds])
    watchdog.daemon = True
    watchdog.start()
    try:
        with _alarm(seconds):
            yield
    finally:
        watchdog.cancel()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimedOut(seconds)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _give_up(seconds: float) -> None:
    message = f"error: {TimedOut(seconds)}\nexit {EXIT_FAILURE}: {EXIT_MEANING[EXIT_FAILURE]}\n"
    os.write(2, message.encode())
    os._exit(EXIT_FAILURE)
