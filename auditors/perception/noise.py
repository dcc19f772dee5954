"""Fooling noise: how sure the network is of pictures that show nothing. Overconfident on noise, never biased.

Source: Nguyen, Yosinski and Clune (2015), CVPR, "Deep neural networks are easily fooled".
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline
from evenhand.auditors.perception.panels.shading import shown
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.noise import normal, sample_keys, uniform
from evenhand.auditors.robustness.scores import gives_gradients, probabilities

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

MOST_CLASSES = 10
NOISE_KINDS, NOISE_PICTURES = 3, 200
OVERCONFIDENT = 0.9
BLOB_SIDE = 4

STARTS = 8
CERTAIN = 0.99
MOST_STEPS = 64
STEP = 2 / 255


def fooling_noise(classifier: ImageClassifier, baselines: list[Baseline], *, seed: int) -> Panel:
    """Share of uniform, Gaussian and blob noise that is called a class with confidence .9 and more."""
    kinds = noises(classifier.image_shape, seed=seed)
    table: list[dict[str, Any]] = []
    images = []
    for kind, noise in kinds.items():
        scores = probabilities(classifier, noise)
        called, confidence = scores.argmax(axis=1), scores.max(axis=1)
        table.append({"noise": f"{kind}: network"} | _shares(scores, classifier.classes))
        best = int(confidence.argmax())
        alt = f"{kind} noise, called {classifier.classes[called[best]]} with confidence {confidence[best]:.2f}"
        images.append(shown(noise[best], alt))
    for one in baselines:
        for kind, noise in kinds.items():
            table.append({"noise": f"{kind}: {one.name}"} | _shares(probabilities(one, noise), one.classes))
    share = max(float(str(row["surely called a class"])) for row in table[: len(kinds)])
    kind = max(table[: len(kinds)], key=lambda row: float(str(row["surely called a class"])))["noise"].split(":")[0]
    return Panel(
        name="fooling_noise",
        title="Fooling noise: overconfident on nothing?",
        text=(
            f"{NOISE_PICTURES} pictures of each kind of noise show nothing at all. The network is sure of a class "
            f"(confidence {OVERCONFIDENT:g} and more) for up to {share:.0%} of them ({kind} noise); none would be right. "
            "Of each kind the picture that it is surest of is shown."
        ),
        limits=(
            "Whether the network is sure for the wrong reason on real pictures, or treats any group differently. A high "
            "share means overconfident on noise: its confidence is no sign that it has seen what it knows."
        ),
        why_no_verdict=(
            "Confidence on noise measured alike in networks with a planted bias and in honest ones (.4 to 1.0 against "
            ".2 to .8)."
        ),
        images=images,
        table=table,
    )


def _shares(scores: NDArray[np.float64], classes: tuple[str, ...]) -> dict[str, float]:
    called, confidence = scores.argmax(axis=1), scores.max(axis=1)
    sure = confidence >= OVERCONFIDENT
    row = {
        "surely called a class": round(float(sure.mean()), 4),
        "mean confidence": round(float(confidence.mean()), 4),
    }
    return row | {
        f"surely called {name}": round(float((sure & (called == index)).mean()), 4)
        for index, name in enumerate(classes[:MOST_CLASSES])
    }


def fooling_ascent(classifier: ImageClassifier, baselines: list[Baseline], *, device: str, seed: int) -> Panel | None:
    """How few steps turn uniform noise into a certain picture of each class; None without gradients."""
    if not gives_gradients(classifier):
        return None
    climbers = [("network", classifier, device), *((one.name, one, "cpu") for one in baselines)]
    table: list[dict[str, Any]] = []
    images: list[dict[str, str]] = []
    for name, climber, place in climbers:
        labels = climber.classes[:MOST_CLASSES]
        pictures, steps = _climbed(climber, len(labels), device=place, seed=seed)
        for index, label in enumerate(labels):
            own = steps[index * STARTS : (index + 1) * STARTS]
            fooled = [step for step in own if step is not None]
            median = float(np.median([MOST_STEPS + 1 if step is None else step for step in own]))
            table.append(
                {
                    "climbed": f"{name}: {label}",
                    "noise pictures": STARTS,
                    f"reached {CERTAIN:g}": len(fooled),
                    "median steps": median if median <= MOST_STEPS else f"more than {MOST_STEPS}",
                }
            )
            if name == "network" and fooled:
                images.append(
                    shown(pictures[index * STARTS + own.index(fooled[0])], f"{label} with confidence {CERTAIN:g}")
                )
    return Panel(
        name="fooling_ascent",
        title="From noise to certainty",
        text=(
            f"{STARTS} pictures of uniform noise are climbed toward each class, every pixel by at most 2 of 255 a step, "
            f"until the network is sure with confidence {CERTAIN:g}. Few steps mean that certainty is cheap. The pictures "
            "are certain to the network and noise to you."
        ),
        limits="A class reached in fewer steps is not favoured: it may lie nearer to noise than the other.",
        why_no_verdict="Steps say how steep the network's scores are; honest networks have steep scores too.",
        images=images,
        table=table,
    )


def _climbed(
    classifier: "DifferentiableImageClassifier", classes: int, *, device: str, seed: int
) -> tuple[NDArray[np.float32], list[int | None]]:
    """The pictures, STARTS for each class in turn, and the step that reached certainty, None where none did."""
    import torch

    from evenhand.auditors.robustness.gradients import as_batch, full_precision, logits_in_any_layout, margin

    height, width, channels = classifier.image_shape
    start = uniform(sample_keys(seed, np.arange(STARTS), "ascent"), height * width * channels)
    pictures = np.tile(start.reshape(STARTS, height, width, channels), (classes, 1, 1, 1))
    wanted = torch.arange(classes, device=device).repeat_interleave(STARTS)
    batch = as_batch(pictures, device).clone()
    reached: list[int | None] = [None] * len(pictures)
    for step in range(MOST_STEPS + 1):
        batch = batch.detach().requires_grad_()
        with torch.enable_grad(), full_precision(device):
            logits = logits_in_any_layout(classifier, batch)
            climbed = margin(logits, wanted, wanted).neg()
            (gradient,) = torch.autograd.grad(climbed.sum(), batch, allow_unused=True)
        sure = logits.detach().softmax(dim=1).gather(1, wanted[:, None])[:, 0] >= CERTAIN
        for index in torch.nonzero(sure)[:, 0].tolist():
            reached[index] = step if reached[index] is None else reached[index]
        if gradient is None or bool(sure.all()):
            break
        with torch.no_grad():
            # a picture that has arrived stays as it was
            batch = (batch + STEP * gradient.sign() * ~sure[:, None, None, None]).clamp(0, 1)
    return np.ascontiguousarray(batch.detach().permute(0, 2, 3, 1).cpu().numpy(), dtype=np.float32), reached


def noises(shape: tuple[int, int, int], *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Pictures (NOISE_PICTURES, height, width, channels) in [0, 1] of three kinds of noise."""
    height, width, channels = shape
    ids = np.arange(NOISE_PICTURES, dtype=np.int64)
    full = (NOISE_PICTURES, height, width, channels)
    coarse = uniform(sample_keys(seed, ids, "blob"), BLOB_SIDE * BLOB_SIDE * channels)
    blobs = np.einsum(
        "hi,nijc,wj->nhwc",
        _interpolation(height),
        coarse.reshape(NOISE_PICTURES, BLOB_SIDE, BLOB_SIDE, channels),
        _interpolation(width),
    )
    gaussian = 0.5 + 0.25 * normal(sample_keys(seed, ids, "gaussian"), height * width * channels)
    return {
        "uniform": uniform(sample_keys(seed, ids, "uniform"), height * width * channels).reshape(full),
        "Gaussian": np.clip(gaussian, 0, 1).astype(np.float32).reshape(full),
        "blob": np.ascontiguousarray(np.clip(blobs, 0, 1), dtype=np.float32),
    }


def _interpolation(side: int) -> NDArray[np.float64]:
    """Linear interpolation from BLOB_SIDE points to `side` pixels, shape (side, BLOB_SIDE)."""
    position = np.linspace(0, BLOB_SIDE - 1, side)[:, None]
    return np.asarray(np.maximum(0, 1 - np.abs(position - np.arange(BLOB_SIDE))), dtype=np.float64)
