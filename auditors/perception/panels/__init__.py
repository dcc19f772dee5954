"""What is only shown: filters, free dreams, fooling noise, leakage, scrambled pictures, maps. None is ever a verdict.

Each panel says what it shows, what it does not, and why it has no verdict; beside the network stand classifiers that
learned nothing or little. What a classifier cannot give is left out, and the notes of the audit say so.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from evenhand.auditors.perception.budget import DECISIONS, Step
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.panels.inside import features_of, kernels_of
from evenhand.auditors.protocols import Progress
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.data import unit_interval, units_of
from evenhand.auditors.robustness.scores import gives_gradients

if TYPE_CHECKING:
    from evenhand.auditors.perception.baselines import Baseline
    from evenhand.auditors.perception.panels.halves import Halves

MOST_ROWS_LEARNED = 2000
NOISE, SCRAMBLED, OCCLUSION, FREE_DREAMS = "fooling noise", "scrambled pictures", "occlusion maps", "free dreams"


def panels(context: Context, progress: Progress) -> list[Panel]:
    """Every panel that the classifier allows, and the plan.

    Args:
        context: the run.
        progress: called with the fraction of the panels done, in [0, 1].
    """
    from evenhand.auditors.perception import noise
    from evenhand.auditors.perception.panels import filters, free_dreams, leakage, maps, scrambled

    classifier, seed, device, plan = context.classifier, context.seed, context.device, context.plan
    if plan.refuses(DECISIONS):
        return []
    pictures = unit_interval(context.data.images)
    progress(0.0, "training what stands beside the network")
    baselines, halves = _baselines(context)
    shown = [filters.kernel_filters(classifier, baselines)]
    progress(0.2, "dreaming freely")
    if gives_gradients(classifier) and not plan.refuses(FREE_DREAMS):
        shown.append(free_dreams.deep_dreams(classifier, baselines, device=device, seed=seed))
    progress(0.4, "looking at noise")
    if not plan.refuses(NOISE):
        shown.append(noise.fooling_noise(classifier, baselines, seed=seed))
    shown.append(noise.fooling_ascent(classifier, baselines, device=device, seed=seed))
    progress(0.6, "reading groups off the features")
    shown.append(leakage.attribute_leakage(context, pictures, baselines))
    if not plan.refuses(SCRAMBLED):
        shown.append(scrambled.scrambled_pictures(context, pictures, halves))
    progress(0.8, "mapping what decisions hang on")
    shown.append(maps.saliency(context, pictures, baselines))
    if not plan.refuses(OCCLUSION):
        shown.append(maps.occlusion(context, pictures, baselines))
    return [panel for panel in shown if panel is not None]


def queries_of_panels(context: Context) -> Iterator[Step]:
    """What each panel asks the network for scores; baselines cost nothing."""
    from evenhand.auditors.perception import noise
    from evenhand.auditors.perception.panels import free_dreams, maps, scrambled

    if gives_gradients(context.classifier):
        yield Step(FREE_DREAMS, min(len(context.classifier.classes), free_dreams.MOST_CLASSES))
    yield Step(NOISE, noise.NOISE_KINDS * noise.NOISE_PICTURES)
    yield Step(SCRAMBLED, scrambled.queries_of_scrambled(context))
    yield Step(OCCLUSION, maps.queries_of_occlusion(context))


def cannot_show(context: Context) -> list[str]:
    """What is missing among the panels, and why, as sentences for the notes."""
    sentences = []
    if not gives_gradients(context.classifier):
        sentences.append(
            "The classifier gives no gradients: no dreams, ascents or saliency maps; occlusion needs none."
        )
    if not kernels_of(context.classifier):
        sentences.append("The classifier shows no weights of a convolution: no filters can be shown.")
    first = unit_interval(context.data.images[:1])
    if features_of(context.classifier, first, batch_size=1, device=context.device) is None:
        sentences.append("The classifier shows no features behind its decision: leakage into them was not looked for.")
    return sentences


def _baselines(context: Context) -> "tuple[list[Baseline], dict[str, Halves]]":
    """Baselines of all pictures, and those of one half of the units that answer about the other half."""
    from evenhand.auditors.perception.baselines import perceptron, pooled_regression, random_weights
    from evenhand.auditors.perception.panels.folds import folds_of, whole_units
    from evenhand.auditors.perception.panels.halves import Halves

    data, seed = context.data, context.seed
    rows = whole_units(units_of(data), MOST_ROWS_LEARNED, seed=seed)
    pictures, label = unit_interval(data.images[rows]), data.label[rows].astype(np.int64)
    shape, classes = context.classifier.image_shape, data.classes
    random = random_weights(context.classifier, seed=seed)
    regression = pooled_regression(pictures, label, classes=classes, shape=shape)
    mlp = perceptron(pictures, label, classes=classes, shape=shape, seed=seed)
    fold = folds_of(units_of(data), 2, seed=seed)
    learned = [fold[rows] == side for side in (0, 1)]
    if not all(part.any() for part in learned):
        return [random, regression, mlp], {}
    halves = {
        regression.name: Halves(
            tuple(pooled_regression(pictures[part], label[part], classes=classes, shape=shape) for part in learned),
            fold,
        ),
        mlp.name: Halves(
            tuple(perceptron(pictures[part], label[part], classes=classes, shape=shape, seed=seed) for part in learned),
            fold,
        ),
        random.name: Halves((random, random), fold),
    }
    return [random, regression, mlp], halves
