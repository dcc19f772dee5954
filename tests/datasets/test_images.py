"""Pictures from arrays, folders and archives; wrong sizes, wrong shapes and hostile archives."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand.datasets import archive, imageset, pictures
from evenhand.datasets.errors import (
    BadImages,
    CorruptFile,
    CorruptPicture,
    DatasetError,
    MissingColumn,
    MissingPicture,
    TooLarge,
    UnsafeMember,
    WrongImageSize,
    WrongLength,
)
from evenhand.datasets.images import read_images
from evenhand.datasets.resize import area_average


def picture(colour: object = "red", size: tuple[int, int] = (4, 3), mode: str = "RGB", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind)  # type: ignore[arg-type]
    return out.getvalue()


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zip_of(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path / "set.zip", "w", method) as stored:
        for name, content in files.items():
            stored.writestr(name, content)
    return path / "set.zip"


SET = {"people.csv": b"file,sex\nb.png,f\na.png,m\n", "a.png": picture("red"), "b.png": picture("blue")}


# --- folder and zip ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [folder_of, zip_of])
def test_pictures_come_in_the_order_of_the_table(tmp_path: Path, stored: object) -> None:
    images = read_images(stored(tmp_path, SET))  # type: ignore[operator]

    assert images.images.shape == (2, 3, 4, 3)
    assert images.images[:, 0, 0].tolist() == [[0, 0, 255], [255, 0, 0]]
    assert images.table.groups("sex").codes.tolist() == [0, 1]


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    files = {"t.csv": b"file\na.png\n", "a.png": picture(7, mode="L")}

    assert read_images(folder_of(tmp_path, files)).images.shape == (1, 3, 4, 1)


def test_one_picture_in_colour_puts_all_in_colour(tmp_path: Path) -> None:
    files = {"t.csv": b"file\na.png\nb.png\n", "a.png": picture(7, mode="L"), "b.png": picture()}

    assert read_images(folder_of(tmp_path, files)).images[0, 0, 0].tolist() == [7, 7, 7]


def test_transparent_pixels_are_white(tmp_path: Path) -> None:
    files = {"t.csv": b"file\na.png\n", "a.png": picture((255, 0, 0, 0), mode="RGBA")}

    assert read_images(folder_of(tmp_path, files)).images[0, 0, 0].tolist() == [255, 255, 255]


def test_picture_of_another_size_is_named_with_both_sizes(tmp_path: Path) -> None:
    files = {**SET, "a.png": picture(size=(5, 3))}

    with pytest.raises(WrongImageSize, match=r"a.png is 5 x 3 pixels, b.png is 4 x 3"):
        read_images(zip_of(tmp_path, files))


def test_table_needs_the_column_file(tmp_path: Path) -> None:
    with pytest.raises(MissingColumn, match=r"column 'file' is not in t.csv. It has: name"):
        read_images(folder_of(tmp_path, {"t.csv": b"name\na.png\n"}))


@pytest.mark.parametrize("stored", [folder_of, zip_of])
def test_picture_that_is_not_there_is_named_with_its_row(tmp_path: Path, stored: object) -> None:
    files = {name: content for name, content in SET.items() if name != "a.png"}

    with pytest.raises(MissingPicture, match=r"row 2 of the table names 'a.png'"):
        read_images(stored(tmp_path, files))  # type: ignore[operator]


def test_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptPicture, match=r"a.png cannot be read as a picture"):
        read_images(folder_of(tmp_path, {**SET, "a.png": b"hello"}))


def test_picture_cut_short_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptPicture, match=r"a.png"):
        read_images(folder_of(tmp_path, {**SET, "a.png": picture(size=(64, 64))[:80]}))


def test_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="it holds no CSV or Parquet"):
        read_images(folder_of(tmp_path, {"a.png": picture()}))


def test_two_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="it holds 2 tables"):
        read_images(folder_of(tmp_path, {**SET, "other.csv": b"file\na.png\n"}))


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "c:\\a.png", "x/../../a.png"])
@pytest.mark.parametrize("stored", [folder_of, zip_of])
def test_names_in_the_table_stay_inside(tmp_path: Path, stored: object, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()

    with pytest.raises(UnsafeMember, match="leads out of the folder"):
        read_images(stored(inside, {"t.csv": f"file\n{name}\n".encode()}))  # type: ignore[operator]


def test_links_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    inside = folder_of(tmp_path / "inside", {"t.csv": b"file\na.png\n"})
    (inside / "a.png").symlink_to(tmp_path / "secret.png")

    with pytest.raises(UnsafeMember):
        read_images(inside)


def test_members_of_an_archive_stay_inside(tmp_path: Path) -> None:
    with pytest.raises(UnsafeMember, match=r"'\.\./evil.png'"):
        read_images(zip_of(tmp_path, {**SET, "../evil.png": b""}))


def test_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1_000_000)

    with pytest.raises(TooLarge, match="bytes when unpacked"):
        read_images(zip_of(tmp_path, {**SET, "bomb.png": b"\0" * 1_000_001}))


def test_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    wide = picture(0, size=(imageset.MAX_SIDE + 1, 1), mode="L")

    with pytest.raises(TooLarge, match="4,097 pixels on a side, the limit is 4,096"):
        read_images(folder_of(tmp_path, {**SET, "a.png": wide}))


def test_picture_file_of_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 10)

    with pytest.raises(TooLarge, match=r"b.png is too large"):
        read_images(folder_of(tmp_path, SET))


def test_archive_of_an_unusual_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="another method than deflate"):
        read_images(zip_of(tmp_path, SET, method=zipfile.ZIP_LZMA))


def test_archive_cut_short_is_corrupt(tmp_path: Path) -> None:
    path = zip_of(tmp_path, SET)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(CorruptFile, match=r"set.zip cannot be read as zip"):
        read_images(path)


def test_archive_with_a_damaged_member_is_corrupt(tmp_path: Path) -> None:
    path = zip_of(tmp_path, SET)
    content = bytearray(path.read_bytes())
    content[45:60] = b"\xff" * 15
    path.write_bytes(content)

    with pytest.raises(DatasetError):
        read_images(path)


# --- npz --------------------------------------------------------------------------------------------------------------


def npz_of(path: Path, **arrays: object) -> Path:
    np.savez_compressed(path / "set.npz", **arrays)  # type: ignore[arg-type]
    return path / "set.npz"


GREY = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)


def test_npz_gives_pictures_and_one_column_an_array(tmp_path: Path) -> None:
    images = read_images(npz_of(tmp_path, images=GREY, sex=np.array(["f", ""]), y=np.array([1, 0])))

    np.testing.assert_array_equal(images.images, GREY)
    assert images.table.groups("sex").values == ("f", None)
    assert images.table.binary("y").tolist() == [1, 0]


def test_npz_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match=r"no array 'images' \(it has: x\)"):
        read_images(npz_of(tmp_path, x=GREY))


@pytest.mark.parametrize(
    ("array", "hint"),
    [
        (GREY[..., 0], r"images\[\.\.\., None\]"),
        (GREY / 255, r"\* 255"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 8, 8, 4), np.uint8), "1 or 3 channels"),
        (np.zeros((0, 8, 8, 1), np.uint8), "Wanted is uint8"),
    ],
)
def test_pictures_of_another_shape_or_type_are_refused_with_a_hint(tmp_path: Path, array: object, hint: str) -> None:
    with pytest.raises(BadImages, match=hint):
        read_images(npz_of(tmp_path, images=array))


def test_column_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongLength, match=r"column 'y' has 3 values where set.npz has 2 rows"):
        read_images(npz_of(tmp_path, images=GREY, y=np.zeros(3)))


def test_column_of_two_dimensions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match=r"the array 'y' has shape \(2, 2\)"):
        read_images(npz_of(tmp_path, images=GREY, y=np.zeros((2, 2))))


def test_pickled_objects_are_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="holds Python objects"):
        read_images(npz_of(tmp_path, images=GREY, y=np.array(["a", None], dtype=object)))


def test_array_that_claims_more_than_it_has_is_corrupt(tmp_path: Path) -> None:
    """numpy would reserve what the header claims, before it reads."""
    out = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 8, 8, 3)}
    np.lib.format.write_array_header_1_0(out, header)

    with pytest.raises(CorruptFile, match="claims 192,000,000,000,000 bytes and has 0"):
        read_images(zip_of(tmp_path, {"images.npy": out.getvalue()}))


def test_npz_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 20)

    with pytest.raises(TooLarge):
        read_images(npz_of(tmp_path, images=GREY))


def test_npz_cut_short_is_corrupt(tmp_path: Path) -> None:
    path = npz_of(tmp_path, images=GREY)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(CorruptFile, match=r"set.npz cannot be read as npz"):
        read_images(path)


# --- size -------------------------------------------------------------------------------------------------------------


def test_take_keeps_pictures_and_rows_together(tmp_path: Path) -> None:
    images = read_images(npz_of(tmp_path, images=GREY, y=np.array([1, 0]))).take(np.array([1]))

    np.testing.assert_array_equal(images.images, GREY[1:])
    assert images.table.binary("y").tolist() == [0]


def test_pictures_are_not_brought_to_a_size_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imageset, "MAX_BYTES", 100)
    path = npz_of(tmp_path, images=GREY)

    assert read_images(path, size=(10, 5)).images.shape == (2, 5, 10, 1)
    with pytest.raises(TooLarge, match="bytes of pixels at 10 x 6, the limit is 100"):
        read_images(path, size=(10, 6))


def test_area_average_is_the_mean_of_each_block_rounded_half_up() -> None:
    """By hand: (0 + 1 + 2 + 3) / 4 = 1.5 and (10 + 10 + 10 + 11) / 4 = 10.25."""
    images = np.array([[0, 1, 10, 10], [2, 3, 10, 11]], np.uint8)[None, :, :, None]

    assert area_average(images, 2)[0, :, :, 0].tolist() == [[2, 10]]


def test_area_average_needs_whole_blocks() -> None:
    with pytest.raises(ValueError, match="4 x 4 pixels do not split into blocks of 3 x 3"):
        area_average(GREY, 3)
