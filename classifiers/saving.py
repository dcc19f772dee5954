"""Writing a trained classifier to a file: it counts as saved once it was read back and scores as before."""

import os
import tempfile
from pathlib import Path

import numpy as np

from evenhand.classifiers.errors import SaveFailed
from evenhand.classifiers.models import ImageModel, TableModel
from evenhand.classifiers.runtimes.network import NetworkOfImages, NetworkOfTables
from evenhand.classifiers.runtimes.pipeline import Pipeline
from evenhand.classifiers.training.trained import Trained, scores_on_sample

ALLOWED_DIFFERENCE = 1e-12  # sums may be taken in another order by another number of threads


def save(trained: Trained, path: Path | str) -> None:
    """Write networks as safetensors and scikit-learn pipelines as skops; a path ending in .onnx is exported instead.

    The file appears under its name only when it is complete and checked; an older one there is replaced.

    Raises:
        SaveFailed: read back, it scores otherwise; nothing is left at `path`.
        UnsupportedModel: it cannot be exported to ONNX.
    """
    path = Path(path)
    if path.suffix == ".onnx":
        from evenhand.classifiers.export import export_onnx

        return export_onnx(trained, path)
    return write_checked(path, to_bytes(trained), trained, allowed=ALLOWED_DIFFERENCE)


def to_bytes(trained: Trained) -> bytes:
    """The file that `save` writes."""
    classifier = trained.classifier
    if isinstance(classifier, NetworkOfImages | NetworkOfTables):
        from evenhand.classifiers.runtimes import network_file

        return network_file.to_bytes(classifier, trained.record)
    if isinstance(classifier, Pipeline):
        from evenhand.classifiers.runtimes import skops_file

        return skops_file.to_bytes(classifier, trained.record)
    raise TypeError(f"a {type(classifier).__name__} was loaded, not trained; copy its file")


def write_checked(path: Path, data: bytes, trained: Trained, *, allowed: float) -> None:
    """Write beside `path`, read back, compare scores on the sample, then move into place.

    Raises:
        SaveFailed: scores differ by more than `allowed`.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        again = _read_back(Path(temporary).read_bytes(), trained, path.name)
        before = scores_on_sample(trained.classifier, trained.sample)
        difference = float(np.abs(scores_on_sample(again, trained.sample) - before).max())
        if not difference <= allowed:
            raise SaveFailed(name=path.name, difference=difference, allowed=allowed)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read_back(data: bytes, trained: Trained, name: str) -> TableModel | ImageModel:
    """Opened in this process, unlike uploads: it wrote these bytes itself a moment ago."""
    from evenhand.classifiers.formats import Format, format_of
    from evenhand.classifiers.runtimes import network_file, onnx_here, skops_file

    found = format_of(data, name=name)
    if found is Format.SAFETENSORS:
        return network_file.from_bytes(data, name=name)[0]
    if found is Format.SKOPS:
        return skops_file.from_bytes(data, name=name)[0]
    return onnx_here.open_own(data, trained.classifier, name=name)
