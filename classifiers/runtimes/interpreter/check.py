"""Whether the interpreter computes what onnxruntime computes, asked once when a model is opened."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from evenhand.classifiers.images import ImageShape
from evenhand.classifiers.runtimes.interpreter.call import NotInterpretable
from evenhand.classifiers.runtimes.interpreter.logits import PictureGradients

if TYPE_CHECKING:
    from evenhand.classifiers.runtimes.onnx_model import OnnxModel

ROWS, SEED = 64, 20
MOST_VALUES = 1 << 22
ALLOWED_DIFFERENCE = 1e-4
"""Of a probability. Between two correct programs in 32 bits it is some 1e-7 for small networks, 1e-5 for deep ones."""


@dataclass(frozen=True)
class Checked:
    """What came of it.

    Args:
        gradients: the model with gradients; None where there are none.
        reason: why there are none, in words; None where there are.
        difference: largest difference of a probability; None where nothing could be compared.
        rows: how many pictures were compared.
    """

    gradients: PictureGradients | None
    reason: str | None
    difference: float | None = None
    rows: int = 0


def checked_gradients(data: bytes, model: "OnnxModel") -> Checked:
    """Gradients of an opened model of pictures, if the interpreter can compute it and agrees with onnxruntime.

    Raises:
        MemoryError: the model takes more than it may have.
    """
    assert model.inputs.image_shape is not None
    try:
        gradients = PictureGradients(data, model)
        pictures = made_up(model.inputs.image_shape)
        logits = gradients.answer(pictures, ticket=0)
        reaches = gradients.pull(np.ones_like(logits), ticket=0, images=None)
    except NotInterpretable as problem:
        return Checked(None, f"evenhand's interpreter of ONNX does not know {problem}"[:500])
    except MemoryError:
        raise
    except Exception as problem:  # a stranger's graph: whatever torch makes of it, onnxruntime can still score
        return Checked(None, f"evenhand's interpreter of ONNX failed ({type(problem).__name__}: {problem})"[:500])
    deployed = model.score_images(pictures)
    ours = torch.softmax(torch.from_numpy(logits).double(), dim=1).numpy()
    difference = float(np.abs(ours - deployed).max())
    if not difference <= ALLOWED_DIFFERENCE:
        said = f"evenhand's interpreter of ONNX differs from onnxruntime by {difference:.2g} in a probability"
        return Checked(None, f"{said}; {ALLOWED_DIFFERENCE:g} is allowed", difference, len(pictures))
    if not np.isfinite(reaches).all():
        return Checked(None, "its gradients are not finite", difference, len(pictures))
    return Checked(gradients, None, difference, len(pictures))


def made_up(image_shape: ImageShape) -> NDArray[np.float32]:
    """Pictures in [0, 1] of every brightness and contrast, shape (n, *image_shape): 64, fewer of very large ones."""
    chance = np.random.default_rng(SEED)
    count = max(2, min(ROWS, MOST_VALUES // int(np.prod(image_shape))))
    bright = chance.random((count, 1, 1, 1), dtype=np.float32)
    contrast = chance.random((count, 1, 1, 1), dtype=np.float32)
    noise = chance.random((count, *image_shape), dtype=np.float32)
    return np.clip(bright + contrast * (2 * noise - 1), 0, 1)
