"""What is only shown: filters of the first layer, free Deep Dreams, fooling noise. None of it is ever a verdict."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.noise import normal, sample_keys, uniform
from evenhand.auditors.robustness.pictures import data_uri
from evenhand.auditors.robustness.scores import gives_gradients, probabilities

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

MOST_FILTERS = 32
MOST_CLASSES = 10
NOISE_PICTURES = 200
OVERCONFIDENT = 0.9
BLOB_SIDE = 4

DREAM_STEPS = 64
DREAM_STEP_SIZE = 0.03
DREAM_DECAY = 0.02
BLUR_EVERY = 4
CERTAIN = 0.99


def panels(classifier: ImageClassifier, *, device: str, seed: int) -> list[Panel]:
    """Every panel that the classifier allows."""
    shown = [kernel_filters(classifier)]
    if gives_gradients(classifier):
        shown.append(deep_dreams(classifier, device=device, seed=seed))
    shown.append(fooling_noise(classifier, seed=seed))
    return [panel for panel in shown if panel is not None]


def kernel_filters(classifier: ImageClassifier) -> Panel | None:
    """First-layer kernels as pictures; None where the classifier shows no torch module with a convolution."""
    weights = _first_kernels(classifier)
    if weights is None:
        return None
    shown = weights[:MOST_FILTERS]
    return Panel(
        name="kernel_filters",
        title="What the first layer looks for",
        text=(
            f"The {len(weights)} kernels of the first convolution as pictures, each scaled to full contrast: edges, "
            "spots and colours. Never a verdict: the colours of the filters of planted and of honest networks measured "
            "alike (.65 to .73 against .62 to .72), so they say nothing about bias."
        ),
        images=[
            {"src": data_uri(_full_contrast(kernel)), "alt": f"filter {index + 1} of the first layer"}
            for index, kernel in enumerate(shown)
        ],
    )


def _first_kernels(classifier: ImageClassifier) -> NDArray[np.float32] | None:
    """Kernels (n, height, width, channels) of the first 2-d convolution of `classifier.module`."""
    module = getattr(classifier, "module", None)
    if module is None:
        return None
    from torch import nn

    if not isinstance(module, nn.Module):
        return None
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            kernels = layer.weight.detach().cpu().numpy().transpose(0, 2, 3, 1)
            return np.ascontiguousarray(kernels, dtype=np.float32)
    return None


def _full_contrast(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(picture.min()), float(picture.max())
    return ((picture - low) / (high - low or 1.0)).astype(np.float32)


def deep_dreams(classifier: "DifferentiableImageClassifier", *, device: str, seed: int) -> Panel:
    """A picture climbed toward each class from grey noise, kept smooth and near grey."""
    classes = classifier.classes[:MOST_CLASSES]
    dreams, steps = _ascend(classifier, len(classes), device=device, seed=seed)
    scores = probabilities(classifier, dreams)
    return Panel(
        name="deep_dream",
        title="A free Deep Dream of each class",
        text=(
            "Starting from grey noise the picture is changed step by step so that the network sees more of a class "
            "(after Mordvintsev, Olah and Tyka 2015; with blur and a pull toward grey). It shows what the network "
            "answers to, and may be striking. Never a verdict: free dreams of honest networks lean to either group by "
            "chance, and drawings may themselves colour the classes differently."
        ),
        images=[
            {"src": data_uri(dream), "alt": f"dream of {name}"} for dream, name in zip(dreams, classes, strict=True)
        ],
        table=[
            {
                "class": name,
                "confidence in the dream": round(float(scores[index, index]), 4),
                f"steps to {CERTAIN:g}": steps[index] if steps[index] is not None else f"more than {DREAM_STEPS}",
            }
            for index, name in enumerate(classes)
        ],
    )


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


def fooling_noise(classifier: ImageClassifier, *, seed: int) -> Panel:
    """Share of uniform, Gaussian and blob noise that is called a class with confidence .9 and more."""
    table: list[dict[str, Any]] = []
    images = []
    for kind, noise in noises(classifier.image_shape, seed=seed).items():
        scores = probabilities(classifier, noise)
        called, confidence = scores.argmax(axis=1), scores.max(axis=1)
        sure = confidence >= OVERCONFIDENT
        table.append(
            {
                "noise": kind,
                "pictures": len(noise),
                "called a class with confidence >= .9": round(float(sure.mean()), 4),
                "mean confidence": round(float(confidence.mean()), 4),
            }
            | {
                f"called {name} with confidence >= .9": round(float((sure & (called == index)).mean()), 4)
                for index, name in enumerate(classifier.classes[:MOST_CLASSES])
            }
        )
        best = int(confidence.argmax())
        alt = f"{kind} noise, called {classifier.classes[called[best]]} with confidence {confidence[best]:.2f}"
        images.append({"src": data_uri(noise[best]), "alt": alt})
    return Panel(
        name="fooling_noise",
        title="Pictures of nothing",
        text=(
            f"{NOISE_PICTURES} pictures of each kind of noise show nothing at all; the table says how often the "
            "network is nevertheless sure of a class (Nguyen, Yosinski and Clune 2015). Of each kind the picture "
            "that it is surest of is shown. A high share means overconfident on noise. Never a verdict about bias: "
            "confidence on noise measured alike in planted and honest networks (.4 to 1.0 against .2 to .8)."
        ),
        images=images,
        table=table,
    )


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
        "gaussian": np.clip(gaussian, 0, 1).astype(np.float32).reshape(full),
        "blob": np.ascontiguousarray(np.clip(blobs, 0, 1), dtype=np.float32),
    }


def _interpolation(side: int) -> NDArray[np.float64]:
    """Linear interpolation from BLOB_SIDE points to `side` pixels, shape (side, BLOB_SIDE)."""
    position = np.linspace(0, BLOB_SIDE - 1, side)[:, None]
    return np.asarray(np.maximum(0, 1 - np.abs(position - np.arange(BLOB_SIDE))), dtype=np.float64)
