"""`make bench`: every figure that the documentation quotes, printed side by side with its peer in one run.

`python -m benchmarks --full` adds what takes long: 64,000,000 rows, fairlearn's hundred bootstrap replicates.
"""

import os
import sys

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # before numpy

from benchmarks import bootstrap, command_line, counting, group_metrics, parquet, scores, subgroups


def main(*, full: bool = False) -> int:
    print("All figures: this machine, one core, one run, medians; peers on the same rows, in the same run.")
    print("Whole processes are timed by the clock on the wall, counting in seconds of the core.")
    missed = [
        command_line.main(),
        group_metrics.main(),
        counting.main(full=full),
        parquet.main(parquet.FULL_ROWS if full else parquet.ROWS),
        bootstrap.main(full=full),
        subgroups.main(),
        scores.main(),
    ]
    return max(missed)


if __name__ == "__main__":
    sys.exit(main(full="--full" in sys.argv))
