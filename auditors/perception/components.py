"""Principal components of the audit set: the space in which dreams stay likely pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.noise import sample_keys

COMPONENTS = 60
MOST_PICTURES = 1500


@dataclass(frozen=True)
class Components:
    """x = mean + z @ directions, flattened; a z of independent standard normals gives pictures like those audited.

    Attributes:
        shape: height, width, channels.
        mean: shape (pixels,).
        directions: unit directions times the standard deviation along each, shape (components, pixels).
    """

    shape: tuple[int, int, int]
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.directions)


def principal_components(pictures: Pictures, ids: NDArray[np.int64], *, seed: int) -> Components:
    """Up to 60 components of the pictures (n, height, width, channels) in [0, 1]; of 1,500 drawn ones where there are more.

    The sign of a direction is fixed (its largest entry is positive). Directions along which the pictures do not vary
    are left out.
    """
    order = np.argsort(sample_keys(seed, ids, "components"), kind="stable")[:MOST_PICTURES]
    rows = pictures[np.sort(order)].reshape(min(len(pictures), MOST_PICTURES), -1).astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    values, vectors = _eigen(rows)
    kept = np.argsort(values)[::-1][:COMPONENTS]
    kept = kept[values[kept] > 1e-10 * max(float(values.max()), 1e-300)]
    directions = vectors[:, kept].T
    directions *= np.sign(directions[np.arange(len(kept)), np.abs(directions).argmax(axis=1)])[:, None]
    spreads = np.sqrt(values[kept] / max(len(rows) - 1, 1))
    height, width, channels = pictures.shape[1:]
    return Components(
        shape=(height, width, channels),
        mean=mean.astype(np.float32),
        directions=(directions * spreads[:, None]).astype(np.float32),
    )


def _eigen(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of the scatter of centred rows and unit directions (pixels, k), by the smaller of the two matrices."""
    if rows.shape[1] <= len(rows):
        values, vectors = np.linalg.eigh(rows.T @ rows)
        return values, vectors
    values, left = np.linalg.eigh(rows @ rows.T)
    vectors = rows.T @ left
    lengths = np.maximum(np.linalg.norm(vectors, axis=0), 1e-150)
    return values, vectors / lengths
