"""The console that commands print on."""

import sys

from rich.console import Console


class Screen(Console):
    """A console of plain lines; a reader who has left (`| head -1`) is an error, and no exit code of its own."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=not sys.stdout.isatty())

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
