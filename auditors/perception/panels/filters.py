"""The kernels of every convolution as pictures."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline
from evenhand.auditors.perception.panels.inside import Kernels, kernels_of
from evenhand.auditors.perception.panels.shading import about_zero, full_contrast, montage, shown
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Panel

MOST_FILTERS = 36
MOST_LAYERS = 12


def kernel_filters(classifier: ImageClassifier, baselines: list[Baseline]) -> Panel | None:
    """One picture a convolution; None where the classifier shows no weights of a convolution."""
    layers = kernels_of(classifier)
    if not layers:
        return None
    random = [kernels[0] for one in baselines if (kernels := kernels_of(one))]
    pictures = [_layer(index, kernels) for index, kernels in enumerate(layers[:MOST_LAYERS])]
    pictures += [
        shown(_sheet(kernels), "beside it: first layer of the same shape with random weights", large=True)
        for kernels in random[:1]
    ]
    pictures += [_of_dense(one) for one in baselines if not kernels_of(one)]
    return Panel(
        name="kernel_filters",
        title="The filters, layer by layer",
        text=(
            "A convolution slides small filters over the picture and answers where the picture resembles them. "
            "First layer: every filter in its colours, stretched to full contrast. Deeper layers read the answers of "
            "the layer before and have no colours: of each filter the strongest slice is shown (largest sum of squares), "
            "in grey, where middle grey is 0 and the largest weight of the slice is black or white. Of a layer with more "
            f"than {MOST_FILTERS} filters the strongest are shown."
        ),
        limits=(
            "Not what the filters are used for. Deep filters cannot be read by eye at all; they are shown so that nobody "
            "needs to wonder whether they were looked at."
        ),
        why_no_verdict=(
            "The colours of the filters of networks with a planted bias and of honest ones measured alike (.65 to .73 "
            "against .62 to .72)."
        ),
        images=pictures,
        table=[
            {
                "layer": kernels.name,
                "filters": len(kernels.weights),
                "reads channels": kernels.weights.shape[1],
                "size": f"{kernels.weights.shape[2]} × {kernels.weights.shape[3]}",
                "mean size of a weight": round(float(np.abs(kernels.weights).mean()), 4),
            }
            for kernels in layers
        ],
    )


def _layer(index: int, kernels: Kernels) -> dict[str, str]:
    count, total = min(len(kernels.weights), MOST_FILTERS), len(kernels.weights)
    which = f"all {total}" if count == total else f"{count} of {total}"
    return shown(_sheet(kernels), f"layer {index + 1} ({kernels.name}): {which} filters", large=True)


def _sheet(kernels: Kernels) -> NDArray[np.float32]:
    """A montage: in colour or grey where the kernels read a picture, else the strongest slice of each."""
    weights = kernels.weights
    strength = np.square(weights).sum(axis=(1, 2, 3))
    chosen = np.sort(np.argsort(-strength, kind="stable")[:MOST_FILTERS])
    if weights.shape[1] in (1, 3):
        return montage([full_contrast(weights[index].transpose(1, 2, 0)) for index in chosen])
    slices = np.square(weights).sum(axis=(2, 3)).argmax(axis=1)
    return montage([about_zero(weights[index, slices[index]]) for index in chosen])


def _of_dense(baseline: Baseline) -> dict[str, str]:
    """First weights of a classifier without convolutions: one picture a class or hidden unit."""
    pool, layer = baseline.module[0], baseline.module[1]  # type: ignore[index]  # both are sequences
    channels = baseline.image_shape[2]
    weights = layer.weight.detach().numpy().reshape(len(layer.weight), channels, *pool.grid).transpose(0, 2, 3, 1)
    chosen = np.argsort(-np.square(weights).sum(axis=(1, 2, 3)), kind="stable")[:4]
    tiles = [full_contrast(weights[index]) for index in np.sort(chosen)]
    return shown(montage(tiles), f"beside it: first weights of {baseline.name}, the strongest {len(tiles)}", large=True)
