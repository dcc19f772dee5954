"""The page that writes a policy: what it writes is what an audit takes."""

import pytest
from werkzeug.datastructures import MultiDict

from evenhand.auditors.policy import Policy
from evenhand.service.audits.policy_file import read_policy
from evenhand.service.datasets.pages import Shown, shown_dataset
from evenhand.service.importers.toml import policy_text
from evenhand.service.policies.keys import SECTIONS, parts
from evenhand.service.policies.pages import MODEL_FILE, _filled_by_card, _policy, _unknown


@pytest.mark.parametrize("name", ["adult", "compas", "german", "emoji-people"])
def test_the_policy_of_a_built_in_set_reads_back_as_it_was_written(name: str, tmp_path) -> None:
    dataset = shown_dataset(name)
    policy = _policy(dataset, _filled_by_card(dataset))
    path = tmp_path / "evenhand.toml"
    path.write_text(policy_text(policy, heading="A policy"))

    read = read_policy(path)

    assert read.check == policy.check != []
    assert read.data == policy.data
    assert read.data.sensitive == list(dataset.card.sensitive)


def test_without_predictions_the_policy_names_a_model_to_put_in() -> None:
    dataset = shown_dataset("german")

    policy = _policy(dataset, _filled_by_card(dataset))

    assert policy.model is not None
    assert policy.model.path == MODEL_FILE
    assert _policy(shown_dataset("compas"), _filled_by_card(shown_dataset("compas"))).model is None


def test_without_labels_no_check_needs_them() -> None:
    dataset = Shown("ds_1", "people.csv", 10, "table", ["sex", "p"])
    filled = MultiDict([("sensitive", "sex"), ("prediction", "p")])

    assert [check.metric for check in _policy(dataset, filled).check] == ["impact_ratio"]
    assert isinstance(_policy(dataset, filled), Policy)


def test_a_column_that_the_data_have_not_is_told_beside_its_field() -> None:
    dataset = Shown("ds_1", "people.csv", 10, "table", ["sex", "p"])

    errors = _unknown(dataset, MultiDict([("sensitive", "gender"), ("label", "y")]))

    assert set(errors) == {"sensitive", "label"}
    assert "It has: sex, p" in errors["label"]


def test_the_page_lists_every_key_that_a_policy_may_hold() -> None:
    """Told from the schema of a policy, whose tables refer to one another."""
    schema = Policy.model_json_schema(by_alias=True)
    tables = {name: set(part["properties"]) for name, part in schema["$defs"].items() if "properties" in part}
    tables["Policy"] = set(schema["properties"]) - {"data", "model", "check", "search", "proxy", "robustness"}
    tables["Policy"] -= {"perception", "report", "practice"}

    listed = {model.__name__: set(part.keys) for model, part in zip(SECTIONS.values(), parts(), strict=True)}

    assert listed == tables
    assert {"human_oversight", "data_source", "distribution_date"} <= listed["ReportSection"]


def test_each_part_says_its_table_and_what_it_is_for() -> None:
    headings = [part.heading for part in parts()]

    assert headings[:4] == ["At the top", "[data]", "[model]", "[[check]]"]
    assert "[robustness.features]" in headings
    assert all(heading.startswith("[") for heading in headings[1:])
    assert all(part.says.endswith(".") for part in parts())
