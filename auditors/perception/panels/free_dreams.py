"""Free Deep Dreams: grey noise climbed toward each class, with nothing that keeps it like the pictures audited.

The dream that decides has a prior of the audited pictures and is a check of its own.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline
from evenhand.auditors.perception.panels.shading import shown
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.noise import sample_keys, uniform
from evenhand.auditors.robustness.scores import probabilities

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

MOST_CLASSES = 10
DREAM_STEPS = 64
DREAM_STEP_SIZE = 0.03
DREAM_DECAY = 0.02
BLUR_EVERY = 4
CERTAIN = 0.99


def deep_dreams(
    classifier: "DifferentiableImageClassifier", baselines: list[Baseline], *, device: str, seed: int
) -> Panel:
    """A picture climbed toward each class from grey noise, of the network and of the baselines."""
    dreamers = [("network", classifier, device), *((one.name, one, "cpu") for one in baselines)]
    images, table = [], []
    for name, dreamer, place in dreamers:
        pictures, rows = _dreams_of(name, dreamer, device=place, seed=seed)
        images += pictures
        table += rows
    return Panel(
        name="deep_dream",
        title="A free Deep Dream of each class",
        text=(
            "Starting from grey noise the picture is changed step by step so that the network sees more of a class "
            "(after Mordvintsev, Olah and Tyka 2015; with blur and a pull toward grey): the picture it answers to most. "
            "Beside it the same is done to classifiers that learned little or nothing."
        ),
        limits=(
            "Not what people of that class look like, and not what the network sees in real pictures: a dream leaves the "
            "range of pictures that it was trained on. Colours that a drawing style gives to a class come back in its dream."
        ),
        why_no_verdict=(
            "Free dreams of honest networks lean to either group by chance. The dream that can decide is held to the "
            "pictures audited and measured by independent probes."
        ),
        images=images,
        table=table,
    )


def _dreams_of(
    name: str, classifier: "DifferentiableImageClassifier", *, device: str, seed: int
) -> tuple[list[dict[str, str]], list[dict[str, str | float]]]:
    classes = classifier.classes[:MOST_CLASSES]
    dreams, steps = _ascend(classifier, len(classes), device=device, seed=seed)
    scores = probabilities(classifier, dreams)
    images = [shown(dream, f"{name}: dream of {label}") for dream, label in zip(dreams, classes, strict=True)]
    table: list[dict[str, str | float]] = []
    for index, label in enumerate(classes):
        step = steps[index]
        table.append(
            {
                "dream": f"{name}: {label}",
                "confidence in the dream": round(float(scores[index, index]), 4),
                f"steps to {CERTAIN:g}": step if step is not None else f"more than {DREAM_STEPS}",
            }
        )
    return images, table


def _ascend(
    classifier: "DifferentiableImageClassifier", classes: int, *, device: str, seed: int
) -> tuple[NDArray[np.float32], list[int | None]]:
    """Regularised ascent on the logit of each class against the others; the dreams, and the step that reached .99."""
    import torch

    from evenhand.auditors.robustness.gradients import as_batch, full_precision, logits_in_any_layout, margin

    height, width, channels = classifier.image_shape
    start = uniform(sample_keys(seed, np.arange(classes), "dream"), height * width * channels)
    pictures = (0.5 + 0.1 * (start - 0.5)).astype(np.float32).reshape(classes, height, width, channels)
    wanted = torch.arange(classes, device=device)
    batch = as_batch(pictures, device)
    reached: list[int | None] = [None] * classes
    blur = torch.nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    for step in range(DREAM_STEPS):
        batch = batch.detach().requires_grad_()
        with torch.enable_grad(), full_precision(device):
            logits = logits_in_any_layout(classifier, batch)
            # the margin goes on rising where a probability has nothing left to gain
            climbed = margin(logits, wanted, wanted).neg()
            (gradient,) = torch.autograd.grad(climbed.sum(), batch, allow_unused=True)
        sure = logits.detach().softmax(dim=1).gather(1, wanted[:, None])[:, 0] >= CERTAIN
        for index in torch.nonzero(sure)[:, 0].tolist():
            reached[index] = step if reached[index] is None else reached[index]
        if gradient is None:
            break
        with torch.no_grad():
            scale = gradient.abs().mean(dim=(1, 2, 3), keepdim=True) + 1e-12
            batch = batch + DREAM_STEP_SIZE * (gradient / scale).clamp(-3, 3)
            batch = 0.5 + (1 - DREAM_DECAY) * (batch - 0.5)
            batch = (blur(batch) if step % BLUR_EVERY == 0 else batch).clamp(0, 1)
    return np.ascontiguousarray(batch.detach().permute(0, 2, 3, 1).cpu().numpy(), dtype=np.float32), reached
