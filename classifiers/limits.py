"""What a confined child process may use; what is done about it is in confine/."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one model and the child process that runs it.

    Args:
        model_bytes: largest file that is read at all.
        memory_bytes: address space of the child, program code included.
        start_seconds: wall-clock time to start the child and import its libraries.
        request_seconds: wall-clock time for one request: opening the model, or scoring one batch.
        cpu_seconds: processor time over the child's whole life.
        threads: threads the child computes with.
        batch_bytes: rows travel to the child in batches of about this size.
        answer_bytes: largest answer that is accepted from the child.
    """

    model_bytes: int = 512 * MEBIBYTE
    memory_bytes: int = 3072 * MEBIBYTE
    start_seconds: float = 120.0
    request_seconds: float = 60.0
    cpu_seconds: int = 7200
    threads: int = 1
    batch_bytes: int = 16 * MEBIBYTE
    answer_bytes: int = 256 * MEBIBYTE
