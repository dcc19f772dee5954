"""Pictures in one folder a class, as folder and as archive; what would make labels or pictures ambiguous is refused."""

import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.test_images import folder_of, picture, zip_of

from evenhand.datasets import pictures, pixels
from evenhand.datasets.errors import BadImages, TooLarge, UnsafeMember, WrongImageSize
from evenhand.datasets.images import read_images
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.sources import open_source
from evenhand.datasets.table import Table

CLASSES = {"dog/1.png": picture("blue"), "cat/b.png": picture("red"), "cat/a.png": picture("green")}
STORED = pytest.mark.parametrize("stored", [folder_of, zip_of])


@STORED
def test_name_of_the_folder_is_the_label(tmp_path: Path, stored: object) -> None:
    found = read_images(stored(tmp_path, CLASSES))  # type: ignore[operator]

    assert found.table.column("file").to_pylist() == ["cat/a.png", "cat/b.png", "dog/1.png"]
    assert found.table.column("label").to_pylist() == ["cat", "cat", "dog"]
    assert found.images[2, 0, 0].tolist() == [0, 0, 255]


@STORED
def test_what_file_managers_leave_is_passed_over(tmp_path: Path, stored: object) -> None:
    extra = {".DS_Store": b"x", "cat/.DS_Store": b"x", "dog/Thumbs.db": b"x", "__MACOSX/cat/._a.png": b"x"}
    if stored is folder_of:
        del extra["__MACOSX/cat/._a.png"]

    assert read_images(stored(tmp_path, {**CLASSES, **extra})).rows == 3  # type: ignore[operator]


def test_archive_may_have_one_folder_around_everything(tmp_path: Path) -> None:
    found = read_images(zip_of(tmp_path, {f"set/{name}": content for name, content in CLASSES.items()}))

    assert set(found.table.groups("label").names) == {"cat", "dog"}


@STORED
@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"stray.png": picture()}, "'stray.png' is in no folder of a class"),
        ({"cat/old/c.png": picture()}, "within a folder within a class"),
        ({"cat/notes.txt": b"x"}, "'cat/notes.txt' is no picture"),
        ({"cat/a.gif": b"GIF89a"}, "'cat/a.gif' is no picture"),
        ({"CAT/A.png": picture()}, "which many systems take for one name"),
    ],
)
def test_what_would_be_ambiguous_is_refused(tmp_path: Path, stored: object, extra: dict, said: str) -> None:
    with pytest.raises(BadImages, match=said):
        read_images(stored(tmp_path, {**CLASSES, **extra}))  # type: ignore[operator]


@pytest.mark.parametrize("inside", [{}, {"empty/.DS_Store": b"x"}])
def test_class_without_pictures_is_refused(tmp_path: Path, inside: dict) -> None:
    folder = folder_of(tmp_path, {**CLASSES, **inside})
    (folder / "empty").mkdir(exist_ok=True)

    with pytest.raises(BadImages, match=r"'empty' of a class is empty.*class i of a model is the i-th folder"):
        read_images(folder)


def test_class_without_pictures_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path, CLASSES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("empty")

    with pytest.raises(BadImages, match="'empty' of a class is empty"):
        read_images(path)


def test_archive_within_an_archive_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match=r"unpack 'inner.zip' first"):
        read_images(zip_of(tmp_path, {"inner.zip": b"PK"}))


def test_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path, CLASSES)
    link = zipfile.ZipInfo("cat/z.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(BadImages, match=r"'cat/z.png' is a link"):
        read_images(path)


def test_name_that_is_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path, CLASSES)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("cat/a.png", picture())

    with pytest.raises(BadImages, match=r"it holds 'cat/a.png' twice"):
        read_images(path)


def test_folder_of_a_class_that_links_out_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path / "elsewhere", {"x.png": picture()})
    inside = folder_of(tmp_path / "set", CLASSES)
    (inside / "secret").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsafeMember):
        read_images(inside)


def test_table_that_names_pictures_by_two_spellings_is_refused(tmp_path: Path) -> None:
    files = {"t.csv": b"file\na.png\nA.png\n", "a.png": picture(), "A.png": picture()}

    with pytest.raises(BadImages, match="Rename one of the two"):
        read_images(folder_of(tmp_path, files))


# --- one size ---------------------------------------------------------------------------------------------------------

MIXED = {**CLASSES, "dog/1.png": picture("blue", size=(9, 5))}


@STORED
def test_pictures_of_several_sizes_are_brought_to_one(tmp_path: Path, stored: object) -> None:
    found = open_source(stored(tmp_path, MIXED), picture_size=(6, 2))  # type: ignore[operator]

    assert isinstance(found, ImageSet)
    assert found.images.shape == (3, 2, 6, 3)


def test_without_a_size_the_error_says_how_to_ask_for_one(tmp_path: Path) -> None:
    with pytest.raises(WrongImageSize, match="4 x 3, or have all brought to it: `picture_size`"):
        read_images(folder_of(tmp_path, MIXED))


def test_size_means_nothing_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")

    assert isinstance(open_source(tmp_path / "t.csv", picture_size=(6, 2)), Table)


# --- more than memory -------------------------------------------------------------------------------------------------


def test_pixels_beyond_the_limit_lie_in_a_file_and_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path, {**CLASSES, "cat/a.png": picture(9, mode="L")})
    in_memory = read_images(folder)
    monkeypatch.setattr(pixels, "MAPPED_FROM", 1)

    mapped = read_images(folder)

    assert type(_owner(mapped.images)).__name__ == "mmap"
    np.testing.assert_array_equal(mapped.images, in_memory.images)
    np.testing.assert_array_equal(mapped.take(np.array([2, 0])).images, in_memory.images[[2, 0]])


def _owner(array: object) -> object:
    while (base := getattr(array, "base", None)) is not None or isinstance(array, memoryview):
        array = array.obj if isinstance(array, memoryview) else base
    return array


def test_more_pixels_than_the_disk_has_room_for_are_refused() -> None:
    with pytest.raises(TooLarge, match=r"TMPDIR names another folder"):
        pixels.room_for((2**20, 2**12, 2**12, 3), "set")


def test_more_pixels_than_the_limit_of_a_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_FOLDER_BYTES", 100)

    with pytest.raises(TooLarge, match=r"108 bytes of pixels, the limit is 100"):
        read_images(folder_of(tmp_path, CLASSES))
