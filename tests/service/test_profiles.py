"""Profiles of data sets on their pages: what they say, and that a route never reads the data itself."""

import io
from pathlib import Path

import numpy as np
import pytest

from evenhand.service.artefacts import Artefacts
from evenhand.service.config import Config
from evenhand.service.current import Service
from evenhand.service.datasets import profiles
from evenhand.service.datasets.profiles import Profile, ProfileOrder, forget_profiles, profile_of
from evenhand.service.db import Database
from evenhand.service.errors import FailedElsewhere
from evenhand.service.jobs.queue import JobQueue

ROWS = b"sex,hired\n" + b"woman,1\n" * 30 + b"woman,0\n" * 70 + b"man,1\n" * 50 + b"man,\n" * 10


@pytest.fixture
def service(tmp_path: Path) -> Service:
    config = Config.from_environment({"EVENHAND_HOME": str(tmp_path)})
    database = Database(config.database_url)
    return Service(config, database, Artefacts(config.artefacts_url), JobQueue(config.database_url))


def profile(service: Service, content: bytes, filename: str, **asked: object) -> Profile:
    sha256 = service.artefacts.put_bytes(content)
    return profile_of(service, ProfileOrder(**asked), sha256=sha256, filename=filename, builtin=None)  # type: ignore[arg-type]


def test_label_rates_by_group_come_with_their_interval(service: Service) -> None:
    found = profile(service, ROWS, "people.csv", label="hired", by=["sex"])

    (sex,) = found.attributes
    woman, man = sex.groups
    share = woman.shares[0]
    assert sex.labels == ["1"]
    assert (woman.group, woman.rows, man.rows, man.labelled) == ("woman", 100, 60, 50)
    assert share is not None
    # Wilson for 30 of 100 at 95 %: (p + z²/2n ± z√(p(1-p)/n + z²/4n²)) / (1 + z²/n), by hand
    assert (share.estimate, round(share.low, 4), round(share.high, 4)) == (0.3, 0.2189, 0.3958)


def test_a_profile_is_made_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    first = profile(service, ROWS, "people.csv", by=["sex"])

    def read_again(*_: object, **__: object) -> None:
        raise AssertionError("the data were read again")

    monkeypatch.setattr(profiles, "run_child", read_again)
    assert profile(service, ROWS, "people.csv", by=["sex"]) == first
    with pytest.raises(AssertionError, match="again"):
        profile(service, ROWS, "people.csv", by=["hired"])


def test_a_deleted_file_takes_its_profiles_along(service: Service) -> None:
    sha256 = service.artefacts.put_bytes(ROWS)
    profile(service, ROWS, "people.csv", by=["sex"])

    forget_profiles(service, sha256)

    assert list((service.config.home / "profiles").iterdir()) == []


def test_example_pictures_are_those_of_their_group(service: Service) -> None:
    dark, light = np.zeros((6, 8, 8, 3), np.uint8), np.full((6, 8, 8, 3), 255, np.uint8)
    packed = io.BytesIO()
    np.savez(packed, images=np.concatenate([dark, light]), tone=np.repeat(["dark", "light"], 6))

    groups = profile(service, packed.getvalue(), "people.npz", by=["tone"]).attributes[0].groups

    assert [len(set(group.pictures)) for group in groups] == [1, 1]
    assert groups[0].pictures[0] != groups[1].pictures[0]
    assert all(group.pictures[0].startswith("data:image/png;base64,") for group in groups)


def test_a_column_that_is_not_there_is_told(service: Service) -> None:
    with pytest.raises(FailedElsewhere, match="gender"):
        profile(service, ROWS, "people.csv", by=["gender"])
