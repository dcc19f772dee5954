"""Small data and small trained classifiers, made once."""

from pathlib import Path

import numpy as np
import pytest
import torch

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.training import Trained, train_images, train_table

from .build import applicants, pictures

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def table() -> tuple[Columns, np.ndarray]:
    """Columns of applicants, numbers and text, some missing; and whether they earn much."""
    return applicants(rows=300, seed=0)


@pytest.fixture(scope="session")
def logistic(table: tuple[Columns, np.ndarray]) -> Trained:
    columns, label = table
    return train_table("logistic_regression", columns, label, seed=0)


@pytest.fixture(scope="session")
def boosting(table: tuple[Columns, np.ndarray]) -> Trained:
    columns, label = table
    return train_table("hist_gradient_boosting", columns, label, seed=0)


@pytest.fixture(scope="session")
def convnet() -> Trained:
    images, label = pictures(count=60, seed=0)
    return train_images("convnet4", images, label, seed=0, device="cpu", epochs=2)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that hostile models try to write."""
    return tmp_path / "marker"
