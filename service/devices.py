"""Where networks run, and on how many threads: the same for training and audits, so that results can be repeated."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from evenhand.service.errors import BadSetting

THREADS = "EVENHAND_TORCH_THREADS"


def resolve(device: str) -> str:
    """'auto' as 'cuda' where there is one, else 'cpu'; other names as they are."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def fixed_threads() -> Iterator[None]:
    """One torch thread inside the block, or EVENHAND_TORCH_THREADS of them.

    Sums over several threads come out differently in the last bits, and differently on every machine. The networks here
    are small: a second thread saves a third of the time on an idle machine and costs four times as much on a busy one.

    Raises:
        BadSetting: the variable is no whole number above 0.
    """
    import torch

    wanted = os.environ.get(THREADS, "1")
    if not wanted.isdigit() or int(wanted) < 1:
        raise BadSetting(THREADS, wanted, "a whole number of at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(int(wanted))
    try:
        yield
    finally:
        torch.set_num_threads(before)
