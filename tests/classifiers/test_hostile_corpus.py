"""The whole hostile corpus: nothing in it runs or calls, memory and time are bounded, and each refusal is clear."""

import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evenhand.classifiers.errors import CorruptModel, RefusedFormat
from evenhand.classifiers.limits import Limits
from evenhand.classifiers.loading import load_classifier

from .hostile import make
from .hostile.corpus import CORPUS, Hostile

LIMITS = Limits(memory_bytes=1536 * 1024 * 1024, request_seconds=20)
KIBIBYTE = 1024
MOST_SECONDS = 40
MOST_GROWN_BYTES = 400 * 1024 * 1024


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that a payload would call."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


def was_called(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.filename)
def test_each_file_is_refused_and_nothing_in_it_happens(
    case: Hostile, tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker, path = tmp_path / "marker", tmp_path / case.filename
    monkeypatch.setattr(make.WritesMarker.__init__, "__defaults__", (listener.getsockname()[1],))
    path.write_bytes(case.make(marker))
    before, started = _peak_bytes(), time.monotonic()

    with pytest.raises(case.error, match=case.said) as refused:
        load_classifier(path, features=["a", "b"], limits=LIMITS)

    assert time.monotonic() - started < MOST_SECONDS
    assert _peak_bytes() - before < MOST_GROWN_BYTES
    assert not marker.exists()
    assert not was_called(listener)
    assert case.filename in str(refused.value) or "description of the endpoint" in str(refused.value)
    assert not [left for left in tmp_path.iterdir() if left not in (path,)]


def _peak_bytes() -> int:
    """Most memory that this process held; that of a child is bounded by the kernel."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


def test_the_payload_would_write_and_call_where_it_is_loaded(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The laws above can fail."""
    import pickle

    monkeypatch.setattr(make.WritesMarker.__init__, "__defaults__", (listener.getsockname()[1],))

    pickle.loads(make.a_pickle(tmp_path / "marker"))

    assert (tmp_path / "marker").exists()
    assert was_called(listener)


def test_every_name_in_the_corpus_is_its_own() -> None:
    assert len({case.filename for case in CORPUS}) == len(CORPUS)


@pytest.mark.slow
def test_a_real_program_of_torch_export_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(make.a_torch_export(tmp_path / "marker"))

    with pytest.raises(RefusedFormat, match=r"a program of torch.export \(.pt2\).*ONNX"):
        load_classifier(path)

    assert not (tmp_path / "marker").exists()


def test_a_link_is_read_for_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real.pkl").write_bytes(make.a_pickle(tmp_path / "marker"))
    (tmp_path / "model.onnx").symlink_to(tmp_path / "real.pkl")

    with pytest.raises(RefusedFormat, match="is a pickle"):
        load_classifier(tmp_path / "model.onnx")

    assert not (tmp_path / "marker").exists()


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A pipe would never end, and a device has no end."""
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "device.onnx").symlink_to("/dev/zero")
    (tmp_path / "folder.onnx").mkdir()
    started = time.monotonic()

    for name in ("pipe.onnx", "device.onnx", "folder.onnx"):
        with pytest.raises(CorruptModel, match="no regular file"):
            load_classifier(tmp_path / name)

    assert time.monotonic() - started < 5


def test_weights_behind_a_link_beside_the_model_are_not_read(tmp_path: Path) -> None:
    """Were they, they would be scored with, and could be told from the scores."""
    from evenhand.classifiers.errors import UnsupportedModel

    (tmp_path / "weights.bin").symlink_to("/etc/passwd")
    (tmp_path / "model.onnx").write_bytes(make.weights_elsewhere("weights.bin").SerializeToString())

    with pytest.raises(UnsupportedModel, match=r"keeps its weights in other files: weights\.bin"):
        load_classifier(tmp_path / "model.onnx", features=["a", "b"])
