"""The build scripts stop at other input files, and choose roles by stated rules."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

from evenhand.datasets.builtin.build.emoji_people import TONES, roles, shows_skin, training_roles
from evenhand.datasets.builtin.build.inputs import checked, member_bytes


def entry(unified: str, name: str) -> dict[str, object]:
    return {"unified": unified, "name": name, "skin_variations": {tone: {} for tone in TONES}}


def test_expected_input_passes() -> None:
    assert checked(b"x", "a.data", hashlib.sha256(b"x").hexdigest()) == b"x"


def test_another_input_file_stops_the_build() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.data", "other")

    with zipfile.ZipFile(out) as archive, pytest.raises(SystemExit, match=r"a.data has SHA-256"):
        member_bytes(archive, "a.data", "0" * 64)


def test_a_role_exists_as_man_and_woman() -> None:
    index = [
        entry("1F468-200D-1F373", "MAN COOK"),
        entry("1F469-200D-1F373", "WOMAN COOK"),
        entry("1F9CF-200D-2642-FE0F", "DEAF MAN"),
        entry("1F9CF-200D-2640-FE0F", "DEAF WOMAN"),
        entry("1F468-200D-1F33E", "MAN FARMER"),
        entry("1F478", "PRINCESS"),
    ]

    assert [role.name for role in roles(index)] == ["cook", "deaf"]


def test_mirror_images_are_no_role_of_their_own() -> None:
    index = [
        entry("1F468-200D-1F9AF-200D-27A1-FE0F", "MAN WITH WHITE CANE FACING RIGHT"),
        entry("1F469-200D-1F9AF-200D-27A1-FE0F", "WOMAN WITH WHITE CANE FACING RIGHT"),
    ]

    assert roles(index) == []


def test_drawings_that_do_not_change_with_tone_show_no_skin() -> None:
    same = np.full((2, 5, 64, 64, 4), 200, np.uint8)
    changing = same.copy()
    changing[:, 4] = 255

    assert not shows_skin(same)
    assert shows_skin(changing)


def test_training_roles_do_not_depend_on_the_order_of_names() -> None:
    names = [f"role {i}" for i in range(70)]

    assert len(training_roles(names)) == 42
    assert training_roles(names) == training_roles(names[::-1])
