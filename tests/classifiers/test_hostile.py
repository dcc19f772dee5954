"""Hostile and damaged files: nothing in them runs, memory and time are bounded, and the refusal is clear."""

import contextlib
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenhand.classifiers.errors import (
    ChildFailed,
    ClassifierError,
    CorruptModel,
    ModelTooLarge,
    RefusedFormat,
    UnsupportedModel,
)
from evenhand.classifiers.formats import Format, format_of
from evenhand.classifiers.limits import Limits
from evenhand.classifiers.loading import load_classifier
from evenhand.classifiers.saving import to_bytes

from .build import linear, written
from .hostile import make as hostile

WEIGHTS = np.eye(2, dtype=np.float32)


@pytest.mark.parametrize("kind", hostile.REFUSED)
def test_what_can_run_code_is_refused_unread_under_any_name(kind, marker, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(hostile.REFUSED[kind](marker))

    with pytest.raises(RefusedFormat, match=r"model.onnx is .* refused unread\. .*(onnx|ONNX)"):
        load_classifier(path)

    assert not marker.exists()


def test_the_marker_would_be_written_by_whoever_loads_the_pickle(marker):
    """The law above can fail: loading does write the marker."""
    import pickle

    pickle.loads(hostile.a_pickle(marker))

    assert marker.exists()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_told_apart_without_another_error(data):
    with contextlib.suppress(ClassifierError):
        assert format_of(data, name="model") in Format


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["format", "kind", "classes", "hidden", "image_shape", "encoder"])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(KEYS, ANY_JSON))
def test_any_description_of_a_network_is_refused_clearly(changes, tmp_path):
    whole = {"format": "evenhand-network/1", "kind": "convnet4", "classes": ["a", "b"], "hidden": [], "encoder": None}
    path = tmp_path / "model.safetensors"
    path.write_bytes(hostile.described(whole | {"image_shape": [8, 8, 1]} | changes))

    with pytest.raises((CorruptModel, UnsupportedModel)):
        load_classifier(path)


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x08\x09" + bytes(range(200)), b"PK\x03\x04 damaged", b"\x00" * 100])
def test_damaged_bytes_are_called_damaged(data, tmp_path):
    (tmp_path / "model.onnx").write_bytes(data)

    with pytest.raises(CorruptModel, match="is not a readable model"):
        load_classifier(tmp_path / "model.onnx")


def test_every_truncation_of_a_network_is_refused(convnet, tmp_path):
    data = to_bytes(convnet)
    for length in np.linspace(1, len(data) - 1, 25, dtype=int):
        (tmp_path / "model").write_bytes(data[:length])

        with pytest.raises(ClassifierError):
            load_classifier(tmp_path / "model")


@pytest.mark.slow  # as truncated.onnx in the corpus
def test_truncated_onnx_is_refused(tmp_path):
    data = linear(WEIGHTS).SerializeToString()
    (tmp_path / "model").write_bytes(data[: len(data) // 2])

    with pytest.raises(CorruptModel, match="damaged ONNX"):
        load_classifier(tmp_path / "model", features=["a", "b"])


def test_truncated_skops_is_refused(logistic, tmp_path):
    data = to_bytes(logistic)
    (tmp_path / "model").write_bytes(data[: len(data) // 2])

    with pytest.raises(CorruptModel, match="damaged zip"):
        load_classifier(tmp_path / "model")


def test_skops_with_a_type_off_the_list_is_refused(marker, tmp_path):
    """Read in this process, where no rebuilding takes place before the list was checked."""
    import skops.io

    from evenhand.classifiers.runtimes import skops_file

    data = skops.io.dumps(hostile.WritesMarker(marker))

    with pytest.raises(UnsupportedModel, match=r"types that are not allowed: .*WritesMarker"):
        skops_file.from_bytes(data, name="model")

    assert not marker.exists()


IN_CORPUS = pytest.mark.slow  # as weights_above.onnx and weights_at_an_absolute_path.onnx there


@pytest.mark.parametrize(
    "location",
    [pytest.param("../secret", marks=IN_CORPUS), pytest.param("/etc/passwd", marks=IN_CORPUS), "weights.bin"],
)
def test_onnx_with_weights_in_other_files_is_refused(location, tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    path = written(hostile.weights_elsewhere(location), tmp_path / "model.onnx")

    with pytest.raises(UnsupportedModel, match=f"keeps its weights in other files: {location}"):
        load_classifier(path, features=["a", "b"])


def test_a_loop_that_never_ends_is_stopped(tmp_path):
    path = written(hostile.an_endless_loop(), tmp_path / "model.onnx")
    started = time.monotonic()

    with pytest.raises(ChildFailed, match=r"model.onnx took longer than it is allowed, and was stopped \(1 seconds\)"):
        load_classifier(path, features=["a", "b"], limits=Limits(request_seconds=1))

    assert time.monotonic() - started < 30


def test_a_loop_that_never_ends_is_stopped_by_its_processor_time_too(tmp_path):
    path = written(hostile.an_endless_loop(), tmp_path / "model.onnx")

    with pytest.raises(ChildFailed, match=r"took longer than it is allowed, and was stopped \(2 processor seconds\)"):
        load_classifier(path, features=["a", "b"], limits=Limits(cpu_seconds=2))


@pytest.mark.slow  # as sixteen_gibibytes.onnx in the corpus
def test_a_gigabyte_out_of_a_small_file_is_refused(tmp_path):
    path = written(hostile.a_huge_constant(), tmp_path / "model.onnx")

    with pytest.raises(ChildFailed, match="needed more memory than it is allowed"):
        load_classifier(path, features=["a", "b"])


def test_a_file_above_the_limit_is_not_read(tmp_path):
    path = written(linear(WEIGHTS), tmp_path / "model.onnx")

    with pytest.raises(ModelTooLarge, match="models up to 10 bytes are accepted"):
        load_classifier(path, limits=Limits(model_bytes=10))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CorruptModel, match="No such file"):
        load_classifier(tmp_path / "model.onnx")


def test_errors_travel_between_processes():
    import pickle

    error = ChildFailed(name="m", reason="time", detail="2 seconds")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is ChildFailed
    assert again.facts == error.facts
    assert str(again) == str(error)
