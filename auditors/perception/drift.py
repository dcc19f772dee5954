"""Dream drift: real pictures, enhanced toward each class on an L2 leash. Does the group drift along?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.threads import one_thread
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.noise import sample_keys

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

MOST_PICTURES = 48
STEPS = 48
LEASH = 0.1
"""Root mean square change of a pixel at most, of a range of 1."""
STEP = LEASH / 8
CLIMBED_AT_ONCE = 64


@dataclass(frozen=True)
class Drifted:
    """Real pictures enhanced toward each class.

    Attributes:
        rows: the pictures chosen, shape (m,).
        pictures: shape (m, classes, height, width, channels), in [0, 1].
        labels: the classes, shape (classes,).
    """

    rows: NDArray[np.int64]
    pictures: Pictures
    labels: NDArray[np.int64]


def chosen_rows(
    cell: NDArray[np.int64], unit: NDArray[np.int64], ids: NDArray[np.int64], *, seed: int
) -> NDArray[np.int64]:
    """Up to 48 pictures: the cells in turn, each giving its next picture of the unit that has given fewest so far.

    Args:
        cell: class x group cell of each picture, shape (n,); pictures of a negative cell are not chosen.
        unit: codes from 0, shape (n,).
        ids: stable sample ids; ties are broken by a hash of them.
        seed: of that hash.
    """
    order = np.argsort(sample_keys(seed, ids, "drift"), kind="stable")
    waiting = {int(one): [int(row) for row in order if cell[row] == one] for one in np.unique(cell[cell >= 0])}
    given = np.zeros(int(unit.max()) + 1, dtype=np.int64)
    rows: list[int] = []
    while len(rows) < MOST_PICTURES and any(waiting.values()):
        for queue in waiting.values():
            if queue and len(rows) < MOST_PICTURES:
                rows.append(queue.pop(int(np.argmin(given[unit[queue]]))))
                given[unit[rows[-1]]] += 1
    return np.array(sorted(rows), dtype=np.int64)


def drift(
    classifier: "DifferentiableImageClassifier",
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    labels: NDArray[np.int64],
    device: str,
) -> Drifted:
    """Climb the margin of each class from each of `pictures[rows]`: 48 steps along the gradient, on an L2 leash."""
    start = pictures[rows].repeat(len(labels), axis=0)
    wanted = np.tile(labels, len(rows))
    parts = [
        _climb(classifier, start[at : at + CLIMBED_AT_ONCE], wanted[at : at + CLIMBED_AT_ONCE], device)
        for at in range(0, len(start), CLIMBED_AT_ONCE)
    ]
    return Drifted(rows, np.concatenate(parts).reshape(len(rows), len(labels), *pictures.shape[1:]), labels)


def _climb(
    classifier: "DifferentiableImageClassifier", start: Pictures, wanted: NDArray[np.int64], device: str
) -> Pictures:
    import torch

    from evenhand.auditors.robustness.gradients import as_batch, full_precision, logits_in_any_layout, margin

    first = as_batch(np.ascontiguousarray(start), device)
    label = torch.from_numpy(wanted).to(device)
    scale = float(np.sqrt(np.prod(start.shape[1:])))
    batch = first
    with one_thread(), full_precision(device):
        for _ in range(STEPS):
            batch = batch.detach().requires_grad_()
            with torch.enable_grad():
                climbed = margin(logits_in_any_layout(classifier, batch), label, label).neg()
                (slope,) = torch.autograd.grad(climbed.sum(), batch, allow_unused=True)
            if slope is None:
                break
            with torch.no_grad():
                length = slope.nan_to_num().pow(2).sum(dim=(1, 2, 3), keepdim=True).sqrt()
                moved = batch + STEP * scale * slope.nan_to_num() / (length + 1e-30) - first
                far = moved.pow(2).sum(dim=(1, 2, 3), keepdim=True).sqrt()
                batch = (first + moved * (LEASH * scale / (far + 1e-30)).clamp(max=1)).clamp(0, 1)
    return np.ascontiguousarray(batch.detach().permute(0, 2, 3, 1).cpu().numpy(), dtype=np.float32)
