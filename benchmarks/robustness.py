"""`make bench-robustness`: what attacks cost and how strong they are, ours beside torchattacks and foolbox in one run.

Seconds are seconds of one core for 1,000 pictures. Peers run in their own process, on the same torch, weights and batches.
`--full` adds L2.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # before numpy

import numpy as np
from benchmarks.attack_peers import Answer, attack_answers
from benchmarks.clock import say
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.robustness.ball import BALLS, Pictures
from evenhand.auditors.robustness.ensemble import (
    Outcome,
    Stage,
    Strength,
    Subjects,
    attack,
    black_box_stages,
    white_box_stages,
)
from evenhand.auditors.robustness.loop import Batch, Feedback, Oracle, run
from evenhand.auditors.robustness.scores import BATCH_SIZE, batches, probabilities

Name = Literal["digits", "emoji-people"]

SIDES: dict[Name, int] = {"digits": 28, "emoji-people": 64}
LABELS: dict[Name, str] = {"digits": "digit", "emoji-people": "gender"}
EPS: dict[tuple[Name, Norm], tuple[float, ...]] = {
    ("digits", "linf"): (0.06, 0.12),
    ("digits", "l2"): (2.0,),
    ("emoji-people", "linf"): (8 / 255,),
    ("emoji-people", "l2"): (2.0,),
}
"""What working on survivors saves depends on how few survive, so digits have a size that many survive and one that few do."""
PICTURES: dict[Name, int] = {"digits": 128, "emoji-people": 48}
STEPS, TARGETS = 40, 3


@dataclass(frozen=True)
class Case:
    """Pictures and the network that reads them; `folder` holds both as files for the peers."""

    name: Name
    folder: Path
    classifier: object
    subjects: Subjects

    def robust(self, stages: list[Stage], *, norm: Norm, eps: float, every: bool = False) -> Answer:
        """Seconds and survivors of these stages: on what survives the ones before, or each on every picture in full."""
        started = time.process_time()
        if every:
            survived = self.subjects.correct
            for stage in stages:
                survived = survived & ~broken_by(stage, self.subjects, norm=norm, eps=eps)
            return Answer(time.process_time() - started, survived)
        outcome = Outcome.before(self.subjects)
        attack(self.subjects, outcome, classifier=self.classifier, stages=stages, eps=eps, seed=0, norm=norm)
        return Answer(time.process_time() - started, outcome.robust(eps))


class InFull:
    """An oracle that never lets a picture go, and remembers which were misread."""

    def __init__(self, inside: Oracle) -> None:
        self._inside = inside
        self.wrong: NDArray[np.bool_] | None = None

    def __call__(self, candidate: Pictures, batch: Batch) -> Feedback:
        told = self._inside(candidate, batch)
        self.wrong = told.wrong if self.wrong is None else self.wrong | told.wrong
        return Feedback(told.loss, np.zeros_like(told.wrong), told.gradient)


def broken_by(stage: Stage, subjects: Subjects, *, norm: Norm, eps: float) -> NDArray[np.bool_]:
    """Which pictures a stage breaks when every one is attacked with all its steps; shape (n,)."""
    parts = []
    for rows in batches(len(subjects), BATCH_SIZE):
        oracle = InFull(stage.oracle)
        batch = subjects.batch(np.arange(len(subjects))[rows], stage.target_rank)
        run(batch, attack=stage.attack, oracle=oracle, ball=BALLS[norm](eps), seed=0)
        assert oracle.wrong is not None
        parts.append(oracle.wrong)
    return np.concatenate(parts)


def case(name: Name, folder: Path, *, epochs: int = 12) -> Case:
    """A convnet4 trained on one half of a built-in set, brought to its side, and pictures of the other half."""
    import torch

    from evenhand.classifiers.saving import save
    from evenhand.classifiers.training import train_images
    from evenhand.datasets.sources import open_source

    torch.set_num_threads(1)
    images = open_source(name).resized((SIDES[name], SIDES[name]))
    label = images.table.classes(LABELS[name])
    order = np.random.default_rng(0).permutation(images.rows)
    learn, held = order[: len(order) // 2], order[len(order) // 2 :][: PICTURES[name]]
    trained = train_images(
        "convnet4",
        images.images[learn],
        label.codes[learn],
        classes=label.names,
        seed=0,
        device="cpu",
        epochs=epochs,
    )
    save(trained, folder / "network.safetensors")
    clean = (images.images[held] / np.float32(255)).astype(np.float32)
    codes = label.codes[held].astype(np.int64)
    np.savez(folder / "pictures.npz", images=clean, label=codes)
    scores = probabilities(trained.classifier, clean)
    return Case(name, folder, trained.classifier, Subjects(clean, codes, np.arange(len(held)), scores))


def peers_of(of: Case, *, norm: Norm, eps: float, steps: int = STEPS) -> dict[str, Answer] | str:
    """torchattacks' APGD-CE and (from four classes up) APGDT, and foolbox's PGD, at the same norm, eps and steps."""
    targeted = ["torchattacks APGDT"] if of.subjects.scores.shape[1] >= 4 else []
    names = ["torchattacks APGD-CE", *targeted, "foolbox PGD"]
    task = {"norm": norm, "eps": eps, "steps": steps, "targets": TARGETS, "batch": BATCH_SIZE, "attacks": names}
    return attack_answers(of.folder, task)


def main(*, full: bool = False) -> int:
    print("Robustness: this machine, one core, one run, seconds of the core for 1,000 pictures; peers in the same run.")
    met: list[bool] = []
    for name in SIDES:
        with tempfile.TemporaryDirectory() as folder:
            one = case(name, Path(folder))
            for norm in BALLS if full else ("linf",):
                for eps in EPS[name, norm]:
                    met += _compare(one, norm, eps)
    return 0 if all(met) else 1


def _compare(one: Case, norm: Norm, eps: float) -> list[bool]:
    strength = Strength(steps=STEPS, targets=TARGETS)
    stages = [*white_box_stages(one.classifier, strength, device="cpu"), *black_box_stages(one.classifier, strength)]
    ours = one.robust(stages, norm=norm, eps=eps)
    white = one.robust([stage for stage in stages if not stage.black_box], norm=norm, eps=eps)
    every = one.robust(stages, norm=norm, eps=eps, every=True)
    single = one.robust([stage for stage in stages if stage.attack.name == "APGD-CE"], norm=norm, eps=eps, every=True)
    side, classes = SIDES[one.name], one.subjects.scores.shape[1]
    print(f"\n{one.name}, {len(one.subjects)} pictures of {side} x {side}, {classes} classes, convnet4")
    print(
        f"{BALLS[norm](eps).norm}, eps {eps:.4g}, {STEPS} steps, 1 restart, clean accuracy {one.subjects.correct.mean():.3f}"
    )
    print(f"  {'':<66} {'seconds':>9} {'robust accuracy':>17}")
    _line("evenhand: ensemble on survivors (" + ", ".join(_names(stages)) + ")", ours)
    _line("evenhand: the same without Square, which the peers have no counterpart of", white)
    _line("evenhand: every attack on every picture", every)
    _line("evenhand: APGD-CE on every picture", single)
    met = [
        say("every attack on every picture, over survivors", f"{every.seconds / ours.seconds:.1f} times",
            goal="4", met=every.seconds >= 4 * ours.seconds),
        say("and robust accuracy of survivors less that", f"{ours.robust.mean() - every.robust.mean():+.3f}",
            goal="0.000", met=bool(ours.robust.mean() <= every.robust.mean())),
    ]  # fmt: skip
    peers = peers_of(one, norm=norm, eps=eps)
    if isinstance(peers, str):
        print(f"  not compared: {peers}")
        return met
    for name, answer in peers.items():
        _line(name, answer)
    return met + _against(peers, ours, white, single)


def _against(peers: dict[str, Answer], ours: Answer, white: Answer, single: Answer) -> list[bool]:
    apgd = peers["torchattacks APGD-CE"]
    together = np.logical_and.reduce([answer.robust for answer in peers.values()])
    theirs = sum(answer.seconds for name, answer in peers.items() if name.startswith("torchattacks"))
    step = single.seconds / apgd.seconds
    met = [
        say("a gradient step of ours over one of torchattacks", f"{step:.2f} times", goal="1", met=step <= 1),
        say("robust accuracy of ours less all peers together", f"{ours.robust.mean() - together.mean():+.3f}",
            goal="0.010", met=bool(ours.robust.mean() <= together.mean() + 0.01)),
    ]  # fmt: skip
    if "torchattacks APGDT" in peers:
        ratio = theirs / white.seconds
        met.append(
            say(
                "torchattacks' APGD-CE and APGDT over our attacks with gradients",
                f"{ratio:.1f} times",
                goal="3.5",
                met=ratio >= 3.5,
            )
        )
    return met


def _names(stages: list[Stage]) -> list[str]:
    return list(dict.fromkeys(stage.attack.name for stage in stages))


def _line(name: str, answer: Answer) -> None:
    seconds = 1000 * answer.seconds / len(answer.robust)
    print(f"  {name:<66} {seconds:>9.2f} {answer.robust.mean():>17.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(full="--full" in sys.argv))
