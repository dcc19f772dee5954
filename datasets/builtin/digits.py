"""scikit-learn's handwritten digits: small grey pictures without people, to try an attack on."""

import hashlib

import numpy as np
import pyarrow as pa

from evenhand.datasets.card import DatasetCard
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.table import Table

CARD = DatasetCard(
    name="digits",
    title="Handwritten digits, 8 x 8",
    description="Grey pictures of handwritten digits, white ink on black, 8 x 8 pixels.",
    source=(
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (test set), UCI Machine Learning"
        " Repository (1998), doi:10.24432/C50P49, as distributed with scikit-learn"
    ),
    licence="CC BY 4.0",
    rows=1_797,
    label="digit",
    label_meaning="the digit that was written, 0 to 9",
    positive=None,
    favourable=None,
    favourable_meaning="no digit helps anybody",
    sensitive=(),
    limits=(
        "No people and no sensitive column: for robustness by class, and for planting a bias of one's own.",
        "Several pictures come from each of 13 writers, who are not recorded: rows are not quite independent.",
    ),
    kind="image",
)


def load() -> ImageSet:
    """1,797 pictures, uint8 (1797, 8, 8, 1); scikit-learn's 0 to 16 become 0 to 255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    digits = bunch.target.astype(np.int64)
    sha256 = hashlib.sha256(images.tobytes() + digits.astype("<i8").tobytes()).hexdigest()
    table = Table(CARD.name, pa.table({"digit": digits}), CARD, sha256)
    return ImageSet(CARD.name, images, table, CARD, sha256)
