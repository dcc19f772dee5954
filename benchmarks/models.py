"""`make bench-models`: what confinement costs, how fast models score, and how long pictures are searched for leakage."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # before numpy

import numpy as np
from benchmarks.clock import say, seconds

ROWS, PICTURES, SEARCHED = 1_000_000, 20_000, 100_000


def main() -> int:
    print("Models: this machine, one core, one run, medians by the clock on the wall")
    with tempfile.TemporaryDirectory() as folder:
        missed = [_tables(Path(folder)), _pictures(), _twins()]
    return max(missed)


def _tables(folder: Path) -> int:
    """Adult's features, text columns among them: a logistic regression, in scikit-learn and as ONNX in its child."""
    from evenhand.classifiers.loading import load_classifier
    from evenhand.classifiers.saving import save
    from evenhand.classifiers.training import train_table
    from evenhand.datasets.sources import open_source

    adult = open_source("adult")
    columns, income = adult.features(list(adult.card.features)), adult.classes("income")
    trained = train_table("logistic_regression", columns, income.codes, classes=income.names, seed=0)
    path = folder / "income.onnx"
    save(trained, path)
    few = {name: column[:1000] for name, column in columns.items()}

    def opened(rows: dict[str, np.ndarray]) -> None:
        with load_classifier(path, features=list(columns)) as loaded:
            loaded.classifier.predict_proba(rows)

    print(f"\nONNX of {len(columns)} columns, {path.stat().st_size:,} bytes, in its confined child")
    opened(few)  # the first child warms the file cache
    first = seconds(lambda: opened(few), times=3)
    own = seconds(lambda: _in_this_process(path, trained, few), times=3)
    met = [say("load to first score, 1,000 rows, child and all", f"{first:.2f} s", goal="3 s", met=first < 3)]
    print(f"  {'the same in this process, libraries loaded':<66} {own:>12.2f} s")
    print(f"  {'so confinement adds to an audit, start of the child and its imports':<66} {first - own:>12.2f} s")

    chosen = np.random.default_rng(0).integers(0, adult.rows, ROWS)
    many = {name: column[chosen] for name, column in columns.items()}
    print(f"\nScoring {ROWS:,} rows of Adult's features")
    theirs = seconds(lambda: trained.classifier.predict_proba(many), times=1)
    with load_classifier(path, features=list(columns)) as loaded:
        ours = seconds(lambda: loaded.classifier.predict_proba(many), times=1)
        difference = np.abs(loaded.classifier.predict_proba(few) - trained.classifier.predict_proba(few)).max()
    print(f"  {'scikit-learn, in this process':<66} {theirs:>12.2f} s")
    print(f"  {'ONNX, in its child, rows sent there and scores back':<66} {ours:>12.2f} s")
    print(f"  {'ONNX over scikit-learn':<66} {ours / theirs:>8.2f} times")
    met.append(say("largest difference of scores", f"{difference:.1e}", goal="1e-6", met=difference <= 1e-6))
    return 0 if all(met) else 1


def _in_this_process(path: Path, trained: object, rows: dict[str, np.ndarray]) -> None:
    from evenhand.classifiers.runtimes import onnx_here

    onnx_here.open_own(path.read_bytes(), trained.classifier, name=path.name).predict_proba(rows)


def _pictures() -> int:
    """convnet4 on 32 by 32 colours; on a GPU too, where there is one."""
    import torch

    from evenhand.classifiers.training import train_images
    from evenhand.datasets.sources import open_source

    torch.set_num_threads(1)
    drawings = open_source("emoji-people")
    gender = drawings.table.classes("gender")
    trained = train_images(
        "convnet4", drawings.images, gender.codes, classes=gender.names, seed=0, device="cpu", epochs=1
    )
    chosen = np.random.default_rng(0).integers(0, drawings.rows, PICTURES)
    pictures = (drawings.images[chosen] / np.float32(255)).astype(np.float32)
    print(f"\nScoring {PICTURES:,} pictures of 32 x 32 colours through convnet4")
    for device in ("cpu", *(("cuda",) if torch.cuda.is_available() else ())):
        score = trained.classifier.to(device).predict_proba
        score(pictures[:2048])
        taken = seconds(partial(score, pictures), times=3)
        print(f"  {'pictures a second, ' + ('one core' if device == 'cpu' else 'GPU'):<66} {PICTURES / taken:>14,.0f}")
    if not torch.cuda.is_available():
        print("  no GPU is here, so none is measured")
    return 0


def _twins() -> int:
    """Pictures of smooth patches with noise, 100 of them planted on both sides."""
    from evenhand.classifiers.training import leakage

    chance = np.random.default_rng(0)
    pictures = np.empty((SEARCHED, 32, 32, 3), np.uint8)
    for start in range(0, SEARCHED, 5000):
        patches = np.kron(chance.normal(128, 45, (5000, 4, 4, 3)), np.ones((1, 8, 8, 1)))
        pictures[start : start + 5000] = np.clip(patches + chance.normal(0, 8, patches.shape), 0, 255)
    pictures[-100:] = np.minimum(pictures[:100], 254) + 1
    learned = np.arange(SEARCHED) < SEARCHED * 7 // 10
    print(f"\nSearching {SEARCHED:,} pictures of 32 x 32 colours for twins on both sides of the split")
    found = []
    taken = seconds(lambda: found.append(leakage(pictures, train=learned)), times=1)
    met = [say("identical and nearly identical", f"{taken:.1f} s", goal="60 s", met=taken < 60)]
    met.append(say("found of 100 planted", f"{found[0].near}", goal="all", met=found[0].near >= 100))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
