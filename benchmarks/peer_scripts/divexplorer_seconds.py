"""Run by divexplorer's own Python: every subgroup of up to three attributes. Argument: a Parquet file of codes.

Its interface has no limit of depth, though its search has; the limit is handed in here, which spares it the deeper ones.
"""

import functools
import json
import sys
import time
import warnings
from importlib.metadata import version

import pandas as pd

warnings.filterwarnings("ignore")

from divexplorer import DivergenceExplorer, divexplorer  # noqa: E402

DEPTH = 3


def main(path: str) -> None:
    frame = pd.read_parquet(path)
    divexplorer.fpgrowth_cm = functools.partial(divexplorer.fpgrowth_cm, max_len=DEPTH)
    started = time.process_time()
    found = DivergenceExplorer(frame).get_pattern_divergence(min_support=1 / len(frame), boolean_outcomes=["selected"])
    seconds = time.process_time() - started
    print(len(found), "subgroups")
    print(json.dumps({"seconds": seconds, "version": version("divexplorer"), "pandas": pd.__version__}))


main(sys.argv[1])
