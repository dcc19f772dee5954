"""Parts of the group disparity audit that need rows: subgroups and uncertain attributes, through the one door."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.errors import BadMembership
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import GroupDisparity
from evenhand.datasets.errors import MissingColumn
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit


@pytest.fixture
def people(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = ["a,b,c,age,p_white,p_black,hired"]
    for _ in range(600):
        a, b, c = rng.integers(0, 2, 3)
        white = rng.random()
        rows.append(f"a{a},b{b},c{c},{rng.integers(20, 60)},{white:.3f},{1 - white:.3f},{int(rng.random() < 0.5)}")
    path = tmp_path / "people.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def audited(
    path: Path, *, sensitive: str = "a", search: dict[str, object] | None = None, **data: object
) -> GroupDisparity:
    document = {"data": {"prediction": "hired", "sensitive": list(sensitive)} | data, "search": search}
    report = run_audit(
        AuditRequest(source=str(path), policy=Policy.model_validate(document), only=["group_disparity"], seed=1)
    )
    assert report.audits.group_disparity is not None
    return report.audits.group_disparity


def test_subgroups_are_searched_from_three_attributes_on(people: Path) -> None:
    assert audited(people, sensitive="ab").subgroups is None
    assert audited(people, sensitive="abc").subgroups is not None


def test_policy_asks_for_a_search_over_features(people: Path) -> None:
    found = audited(people, search={"features": ["age"], "depth": 2}).subgroups

    assert found is not None
    assert (found.features, found.depth) == (["age"], 2)
    assert found.searched > 2


def test_feature_that_is_not_there_is_refused(people: Path) -> None:
    with pytest.raises(MissingColumn, match="'ages'"):
        audited(people, search={"features": ["ages"]})


def test_attribute_known_by_probability_is_estimated(people: Path) -> None:
    document = audited(people, membership={"race": {"White": "p_white", "Black": "p_black"}})

    assert document.membership is not None
    assert [(gap.attribute, gap.metric) for gap in document.membership] == [("race", "favourable_rate")]


def test_columns_that_are_no_probabilities_are_refused(people: Path) -> None:
    with pytest.raises(BadMembership, match=r"membership\.race"):
        audited(people, membership={"race": {"White": "age", "Black": "p_black"}})


@pytest.mark.parametrize(
    ("membership", "says"),
    [
        ({"race": {"White": "p"}}, "names 1 group"),
        ({"race": {"White": "p", "Black": "p"}}, "one column for two groups"),
    ],
)
def test_membership_that_compares_nothing_is_refused(membership: dict[str, dict[str, str]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Policy.model_validate({"data": {"membership": membership}})
