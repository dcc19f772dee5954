"""Run by Aequitas' own Python: group metrics and disparities of a Parquet file of strings. Argument: the file."""

import json
import sys
import time
import warnings
from importlib.metadata import version

import pandas as pd

warnings.filterwarnings("ignore")

from aequitas.bias import Bias  # noqa: E402
from aequitas.group import Group  # noqa: E402


def main(path: str) -> None:
    frame = pd.read_parquet(path)
    sensitive = [name for name in frame.columns if name not in ("score", "label_value")]
    frame = frame.astype(dict.fromkeys(sensitive, object))
    started = time.process_time()
    table, _ = Group().get_crosstabs(frame, attr_cols=sensitive)
    Bias().get_disparity_min_metric(table, original_df=frame)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "version": version("aequitas"), "pandas": pd.__version__}))


main(sys.argv[1])
