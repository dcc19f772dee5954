"""A progress line on the terminal; standard output stays clean for pipes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def shown(title: str = "") -> Iterator[Callable[[float, str], None]]:
    """A bar while the block runs, gone afterwards; yields the callback that moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(title, total=1.0)

        def move(fraction: float, message: str) -> None:
            display.update(task, completed=fraction, description=f"{title} {message}".strip().ljust(34))

        yield move
