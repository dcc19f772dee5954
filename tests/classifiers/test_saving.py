"""What is saved scores as what was trained."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.classifiers import savable
from evenhand.classifiers.errors import CorruptModel, SaveFailed, TrainingFailed, UnsupportedModel, WrongInput
from evenhand.classifiers.export import export_onnx
from evenhand.classifiers.loading import load_classifier
from evenhand.classifiers.saving import save, to_bytes
from evenhand.classifiers.training import TABLE_KINDS, train_images, train_table

from .build import pictures


def test_a_network_of_pictures_scores_the_same_bits_after_saving(convnet, tmp_path):
    save(convnet, tmp_path / "model")

    with load_classifier(tmp_path / "model") as loaded:
        scores = loaded.classifier.predict_proba(convnet.sample)

    assert np.array_equal(scores, convnet.classifier.predict_proba(convnet.sample))
    assert loaded.card.training == convnet.record
    assert loaded.card.gradients


def test_a_residual_network_scores_the_same_bits_after_saving(tmp_path):
    images, label = pictures(count=16, seed=0)
    trained = train_images("resnet_small", images[:, :8, :8], label, seed=0, device="cpu", epochs=1)
    save(trained, tmp_path / "model")

    scores = load_classifier(tmp_path / "model").classifier.predict_proba(trained.sample)

    assert np.array_equal(scores, trained.classifier.predict_proba(trained.sample))


@pytest.mark.parametrize("kind", ["neuron", "mlp"])
def test_a_network_of_tables_scores_the_same_bits_after_saving(kind, table, tmp_path):
    columns, label = table
    trained = train_table(kind, columns, label, seed=0, device="cpu", epochs=2)
    save(trained, tmp_path / "model")

    loaded = load_classifier(tmp_path / "model")

    assert np.array_equal(loaded.classifier.predict_proba(columns), trained.classifier.predict_proba(columns))
    assert [each.type for each in loaded.card.inputs] == ["float64", "float64", "text"]


def test_a_pipeline_scores_the_same_in_its_confined_child(boosting, table, tmp_path):
    columns, _ = table
    save(boosting, tmp_path / "model")

    with load_classifier(tmp_path / "model") as loaded:
        scores = loaded.classifier.predict_proba(columns)

    assert np.abs(scores - boosting.classifier.predict_proba(columns)).max() <= 1e-12
    assert loaded.card.kind == "hist_gradient_boosting"
    assert loaded.card.format == "skops"
    assert loaded.card.training == boosting.record
    assert loaded.card.confined


def test_a_pipeline_read_back_scores_the_same_bits(logistic, boosting, table):
    from evenhand.classifiers.runtimes import skops_file

    columns, _ = table
    for trained in (logistic, boosting):
        again, _ = skops_file.from_bytes(to_bytes(trained), name="model")

        assert np.array_equal(again.predict_proba(columns), trained.classifier.predict_proba(columns))


def test_a_file_that_scores_otherwise_is_not_saved(convnet, logistic, tmp_path, monkeypatch):
    monkeypatch.setattr("evenhand.classifiers.saving.scores_on_sample", lambda c, s: np.random.default_rng().random(9))
    (tmp_path / "model").write_bytes(b"older")

    with pytest.raises(SaveFailed, match=r"read back, its scores differ by 0\."):
        save(convnet, tmp_path / "model")

    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_bytes() == b"older"


def test_weights_without_a_description_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3, dtype=np.float32)}, tmp_path / "model")

    with pytest.raises(UnsupportedModel, match="weights without a description of their network"):
        load_classifier(tmp_path / "model")


def test_weights_that_do_not_fit_the_description_are_refused(convnet, tmp_path):
    data = to_bytes(convnet).replace(b"[32, 32, 3]", b"[64, 64, 3]")
    (tmp_path / "model").write_bytes(data)

    with pytest.raises(UnsupportedModel, match=r"head.weight is \(2, 1024\), not \(2, 4096\)"):
        load_classifier(tmp_path / "model")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"convnet4", b"convnet9", UnsupportedModel),
        (b"[32, 32, 3]", b"[-2, 32, 3]", CorruptModel),
        (b'\\"plain\\", \\"red\\"', b'\\"plain\\", \\"ape\\"', CorruptModel),
        (b"evenhand-network/1", b"evenhand-network/7", CorruptModel),
    ],
)
def test_a_description_that_was_tampered_with_is_refused(old, new, error, convnet, tmp_path):
    data = to_bytes(convnet)
    assert old in data
    (tmp_path / "model").write_bytes(data.replace(old, new))

    with pytest.raises(error):
        load_classifier(tmp_path / "model")


def test_classes_of_another_model_are_refused(convnet, tmp_path):
    save(convnet, tmp_path / "model")

    with pytest.raises(WrongInput, match="expected the classes of model: plain, red, got cat, dog"):
        load_classifier(tmp_path / "model", classes=["cat", "dog"])


def test_an_exported_convnet_scores_as_in_torch(convnet, tmp_path):
    export_onnx(convnet, tmp_path / "model.onnx")

    with load_classifier(tmp_path / "model.onnx") as loaded:
        scores = loaded.classifier.predict_proba(convnet.sample)

    assert np.abs(scores - convnet.classifier.predict_proba(convnet.sample)).max() <= 1e-6
    assert loaded.card.classes == ("plain", "red")
    assert loaded.card.image_shape == (32, 32, 3)
    assert loaded.card.opset == 17
    assert loaded.card.training == convnet.record
    assert loaded.card.gradients


def test_an_exported_pipeline_scores_as_in_scikit_learn(logistic, table, tmp_path):
    """Its columns are text and numbers, one of them with a hyphen, which ONNX exporters write as an underscore."""
    columns, _ = table
    save(logistic, tmp_path / "model.onnx")

    with load_classifier(tmp_path / "model.onnx", features=list(columns)) as loaded:
        scores = loaded.classifier.predict_proba(columns)

    assert np.abs(scores - logistic.classifier.predict_proba(columns)).max() <= 1e-6
    assert loaded.card.features == ("age", "hours-per-week", "job")
    assert loaded.card.producer.startswith("skl2onnx")


@pytest.mark.parametrize("column", ["age", "job"])
def test_an_exported_pipeline_may_know_columns_of_one_type_alone(column, table, tmp_path):
    columns, label = table
    trained = train_table("logistic_regression", {column: columns[column]}, label, seed=0)
    save(trained, tmp_path / "model.onnx")

    with load_classifier(tmp_path / "model.onnx") as loaded:
        scores = loaded.classifier.predict_proba(columns)

    assert np.abs(scores - trained.classifier.predict_proba(columns)).max() <= 1e-6


@pytest.mark.parametrize("kind", ["mlp", "neuron"])
def test_an_exported_network_of_tables_takes_its_encoder_along(kind, table, tmp_path):
    """Missing, infinite and unknown values, and numbers that stand for levels, are read as in training."""
    columns, label = table
    columns = columns | {"floor": np.arange(len(label)) % 3 + 0.0}
    trained = train_table(kind, columns, label, seed=0, device="cpu", categorical=["floor"])
    save(trained, tmp_path / "model.onnx")
    odd = {name: column.copy() for name, column in columns.items()}
    odd["age"][:2], odd["job"][2:4], odd["floor"][4:6] = [np.inf, np.nan], ["pilot", None], [7, np.nan]

    with load_classifier(tmp_path / "model.onnx", features=list(columns)) as loaded:
        scores = loaded.classifier.predict_proba(odd)

    assert np.abs(scores - trained.classifier.predict_proba(odd)).max() <= 1e-6
    assert [each.type for each in loaded.card.inputs] == ["tensor(double)"] * 2 + ["tensor(string)"] * 2
    assert loaded.card.training == trained.record


def test_an_onnx_file_with_a_damaged_training_record_is_refused(convnet, tmp_path):
    export_onnx(convnet, tmp_path / "model.onnx")
    data = (tmp_path / "model.onnx").read_bytes()
    assert data.count(b'"best_epoch"') == 1
    (tmp_path / "model.onnx").write_bytes(data.replace(b'"best_epoch"', b'"last_epoch"'))

    with pytest.raises(CorruptModel, match="its training record is damaged"):
        load_classifier(tmp_path / "model.onnx")


def test_what_has_no_onnx_form_says_what_to_do(boosting, tmp_path):
    with pytest.raises(UnsupportedModel, match=r"Save it under a name that does not end in \.onnx"):
        save(boosting, tmp_path / "model.onnx")

    assert not list(tmp_path.iterdir())


def test_every_kind_names_the_formats_that_it_can_be_saved_in():
    assert set(savable.FORMATS) == {*TABLE_KINDS, "convnet4", "resnet_small"}
    with pytest.raises(
        TrainingFailed, match=r"cannot train mlp: it cannot be saved as skops. Choose safetensors or onnx"
    ):
        savable.format_for("mlp", "skops")


def test_an_ending_names_a_format_in_any_case_and_a_version_names_none():
    named = [savable.format_named(Path(name)) for name in ("a.ONNX", "a.pkl", "a.v2", "a")]

    assert named == ["onnx", "pkl", None, None]
