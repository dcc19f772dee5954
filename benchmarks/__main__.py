"""`make bench`: every figure that the documentation quotes, printed side by side with its peer in one run."""

import sys

from benchmarks import command_line, group_metrics


def main() -> int:
    print("All figures: this machine, one run, medians; peers run in the same process on the same data.")
    return max(command_line.main(), group_metrics.main())


if __name__ == "__main__":
    sys.exit(main())
