import hashlib
from pathlib import Path

import pytest

from evenhand.service.artefacts import Artefacts, spool
from evenhand.service.errors import ArtefactDamaged, ArtefactMissing, EmptyUpload, UploadIncomplete, UploadTooLarge

CONTENT = b"sex,y\nman,1\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts((tmp_path / "store").as_uri())


def stored(tmp_path: Path) -> Path:
    return tmp_path / "store" / "sha256" / SHA256[:2] / SHA256[2:]


def test_bytes_are_kept_under_their_hash(artefacts: Artefacts, tmp_path: Path) -> None:
    assert artefacts.put_bytes(CONTENT) == SHA256

    assert stored(tmp_path).read_bytes() == artefacts.read(SHA256) == CONTENT


def test_keeping_the_same_bytes_twice_is_no_error(artefacts: Artefacts) -> None:
    artefacts.put_bytes(CONTENT)

    assert artefacts.put_bytes(CONTENT) == SHA256


def test_a_file_that_was_changed_is_not_given_out(artefacts: Artefacts, tmp_path: Path) -> None:
    artefacts.put_bytes(CONTENT)
    stored(tmp_path).write_bytes(b"sex,y\nman,0\n")

    with pytest.raises(ArtefactDamaged, match=SHA256):
        artefacts.read(SHA256)
    with pytest.raises(ArtefactDamaged):
        artefacts.fetch(SHA256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_file_that_is_gone_says_so(artefacts: Artefacts) -> None:
    with pytest.raises(ArtefactMissing, match=SHA256):
        artefacts.read(SHA256)


def test_a_deleted_file_is_gone_and_may_be_deleted_again(artefacts: Artefacts) -> None:
    artefacts.put_bytes(CONTENT)

    artefacts.delete(SHA256)
    artefacts.delete(SHA256)

    assert not artefacts.has(SHA256)


def test_a_received_file_is_hashed_and_gone_afterwards(tmp_path: Path) -> None:
    chunks = [CONTENT[:5], CONTENT[5:]]

    with spool(chunks, folder=tmp_path, filename="a.csv", limit_bytes=100, announced_bytes=None) as spooled:
        found = (spooled.sha256, spooled.size_bytes, spooled.path.read_bytes(), spooled.path.name)

    assert found == (SHA256, len(CONTENT), CONTENT, "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("chunks", "limit", "announced", "error"),
    [
        ([CONTENT], 5, None, UploadTooLarge),
        ([], 5, 1_000_000_000, UploadTooLarge),
        ([CONTENT[:3]], 100, len(CONTENT), UploadIncomplete),
        ([], 100, 0, EmptyUpload),
    ],
    ids=["more comes than allowed", "more is announced than allowed", "less comes than announced", "nothing comes"],
)
def test_what_is_not_received_whole_leaves_nothing(
    tmp_path: Path, chunks: list[bytes], limit: int, announced: int | None, error: type[Exception]
) -> None:
    with (
        pytest.raises(error),
        spool(chunks, folder=tmp_path, filename="a.csv", limit_bytes=limit, announced_bytes=announced),
    ):
        pytest.fail("it must not be handed on")

    assert list(tmp_path.iterdir()) == []
