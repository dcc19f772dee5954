"""One norm measured in full: attacks, masking checks, distances, gaps, and their rows of the report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import Progress
from evenhand.auditors.report import AccuracyCurve, Attack, DistanceRank, Masking, OtherNorm, RobustnessGroup
from evenhand.auditors.robustness.attacked import Attacked, attack_all, sizes_for, subjects_of
from evenhand.auditors.robustness.ball import NORM_WORDS
from evenhand.auditors.robustness.data import ImageData
from evenhand.auditors.robustness.distances import distances, farther
from evenhand.auditors.robustness.draws import draws_of
from evenhand.auditors.robustness.findings import gap_row
from evenhand.auditors.robustness.gaps import Gap, decide
from evenhand.auditors.robustness.masking import Setting, check_masking
from evenhand.auditors.robustness.questions import Question, overruled, questions
from evenhand.auditors.robustness.ranks import distance_ranks
from evenhand.auditors.robustness.rates import curves, group_rows
from evenhand.auditors.robustness.scores import labels_only


@dataclass(frozen=True)
class Measured:
    """What came out under one norm; `sizes` holds the distance of each picture, `gaps` each gap with its question."""

    data: ImageData
    setting: Setting
    attacked: Attacked
    masking: Masking
    sizes: NDArray[np.float64]
    gaps: list[tuple[Gap, Question]]

    @property
    def eps(self) -> float:
        return self.attacked.eps

    def attack_document(self) -> Attack:
        """The attack in full, as robust accuracy means nothing without it."""
        setting = self.setting
        white, black = setting.white, setting.black
        strength = setting.strength
        return Attack(
            norm=NORM_WORDS[setting.norm],
            eps=self.eps,
            attacks=list(dict.fromkeys(stage.attack.name for stage in [*white, *black])),
            steps=strength.steps if white else max(stage.attack.queries for stage in black),
            restarts=strength.restarts if white else 1,
            seed=setting.seed,
            draws=draws_of(setting.classifier),
            queries=sum(stage.attack.queries for stage in black),
        )

    def group_documents(self, attributes: Sequence[str], level: float) -> list[RobustnessGroup]:
        robust = self.attacked.outcome.robust(self.eps)[None]
        return [
            row
            for attribute in attributes
            for row in group_rows(
                self.data,
                attribute,
                clean=self.attacked.subjects.correct,
                robust=robust,
                sizes=self.sizes,
                level=level,
                seed=self.setting.seed,
            )
        ]

    def curve_documents(self, attributes: Sequence[str], level: float) -> list[AccuracyCurve]:
        smallest, eps = self.attacked.outcome.smallest, self.attacked.sizes.ascending
        return [
            curve
            for attribute in attributes
            for curve in curves(self.data, attribute, smallest, eps=eps, level=level, seed=self.setting.seed)
        ]

    def rank_documents(self, attributes: Sequence[str], level: float) -> list[DistanceRank]:
        return [
            row for attribute in attributes for row in distance_ranks(self.data, attribute, self.sizes, level=level)
        ]


def measure(
    data: ImageData,
    setting: Setting,
    *,
    attributes: Sequence[str],
    eps: Sequence[float] | None,
    tolerance: float,
    progress: Progress,
) -> Measured:
    """Attack in the norm of the setting, check the attacks, and decide every gap."""
    subjects = subjects_of(data, setting)
    setting = replace(setting, labels_only=labels_only(setting.classifier, subjects.scores))
    attacked = attack_all(subjects, setting, sizes_for(data, eps, setting.norm), progress)
    progress(0.6, "checking for gradient masking")
    masking = check_masking(attacked.subjects, attacked.outcome, eps=attacked.eps, setting=setting)
    progress(0.9, "comparing groups")
    beyond = farther(attacked.subjects, attacked.outcome, largest=attacked.sizes.ascending[-1], setting=setting)
    sizes = distances(attacked.subjects, beyond, classifier=setting.classifier, norm=setting.norm)
    gaps = [
        (overruled(decide(question.members, tolerance=tolerance), question, attacked, masking), question)
        for attribute in attributes
        for question in questions(data, attribute, attacked, setting.seed)
    ]
    return Measured(data, setting, attacked, masking, sizes, gaps)


def beside(measured: Measured, attributes: Sequence[str], level: float) -> OtherNorm:
    """A norm that is shown beside the first and decides nothing."""
    attacked = measured.attacked
    return OtherNorm(
        attack=measured.attack_document(),
        clean_accuracy=float(attacked.subjects.correct.mean()),
        robust_accuracy=attacked.overall,
        groups=measured.group_documents(attributes, level),
        gaps=[gap_row(gap, replace(question, decides=False), measured.eps) for gap, question in measured.gaps],
        curves=measured.curve_documents(attributes, level),
        masking=measured.masking,
        distance_ranks=measured.rank_documents(attributes, level),
    )
