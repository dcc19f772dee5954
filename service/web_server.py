"""Settings of gunicorn that are no option of its command line; it reads this module by its name."""

import signal
from typing import Any

from evenhand.service.jobs.child import PARENT_VARIABLE, die_with_parent

preload_app = True
graceful_timeout = 10
timeout = 0
"""No limit on a request: an upload takes as long as it takes. Threads keep the others going."""

control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Ends with `serve`, even where that is killed."""
    die_with_parent(by=signal.SIGTERM)


def post_fork(_server: Any, _worker: Any) -> None:
    """A server process is no child of `serve` and must not compare itself with it."""
    import os

    os.environ.pop(PARENT_VARIABLE, None)
