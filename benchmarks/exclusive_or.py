"""The picture of docs/how-to/train.md: what one neuron and what layers of neurons make of exclusive or.

`python -m benchmarks.exclusive_or` prints both accuracies and writes docs/pictures/exclusive-or.svg.
"""

import os
import sys
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # before numpy

import numpy as np

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "exclusive-or.svg"
ROWS, CELLS, SIDE, GAP = 400, 20, 220, 40
INK, COLOURS = "#1f2933", ("#9fb8d9", "#e8b48a")


def main() -> int:
    import torch

    from evenhand.classifiers.training import train_table

    torch.set_num_threads(1)
    chance = np.random.default_rng(1)
    x, y = chance.uniform(-1, 1, (2, ROWS))
    label = ((x > 0) ^ (y > 0)).astype(np.int64)
    panels = []
    for kind, name in (("neuron", "one neuron"), ("mlp", "layers of neurons (mlp)")):
        classifier = train_table(kind, {"x": x, "y": y}, label, seed=0, device="cpu").classifier
        accuracy = float((classifier.predict_proba({"x": x, "y": y}).argmax(1) == label).mean())
        print(f"{kind}: accuracy {accuracy:.3f} on the {ROWS} rows")
        panels.append(_panel(classifier, f"{name}: {accuracy:.0%} right", left=len(panels) * (SIDE + GAP)))
    width, height = 2 * SIDE + GAP, SIDE + 28
    PICTURE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>Where each says yes; yes is right where x and y differ in sign</title>{"".join(panels)}</svg>\n'
    )
    print(f"written: {PICTURE.name}")
    return 0


def _panel(classifier: object, title: str, *, left: int) -> str:
    """Each cell in the colour of the class that is predicted in its middle, with the two axes."""
    middles = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    x, y = (grid.ravel() for grid in np.meshgrid(middles, middles))
    said = classifier.predict_proba({"x": x, "y": y}).argmax(1)
    size = SIDE / CELLS
    cells = [
        f'<rect x="{left + (a + 1) / 2 * SIDE - size / 2:g}" y="{28 + (1 - b) / 2 * SIDE - size / 2:g}" '
        f'width="{size:g}" height="{size:g}" fill="{COLOURS[int(c)]}"/>'
        for a, b, c in zip(x, y, said, strict=True)
    ]
    axes = (
        f'<path d="M{left} {28 + SIDE / 2:g}h{SIDE}M{left + SIDE / 2:g} 28v{SIDE}" stroke="{INK}" stroke-dasharray="3 3"/>'
        f'<text x="{left}" y="18" font-family="sans-serif" font-size="14" fill="{INK}">{title}</text>'
    )
    return "".join(cells) + axes


if __name__ == "__main__":
    sys.exit(main())
