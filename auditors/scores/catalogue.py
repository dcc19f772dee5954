"""The metrics of scores: what each says, when it is undefined, which way is better, and its source.

Metrics of decisions belong in `auditors.metrics`.
"""

from dataclasses import dataclass

from evenhand.auditors.metrics import Direction


@dataclass(frozen=True)
class ScoreMetric:
    """A metric of a group's scores, or of two groups'.

    Attributes:
        name: scikit-learn's or the field's.
        called: in sentences.
        meaning: in words, for people.
        better: which way is better for those it is about.
        undefined_when: the reason given in place of a number.
        needs_labels, needs_probabilities: whether scores alone, or scores outside [0, 1], do not suffice.
        low, high: the range of values.
        ideal: what a perfect score would show; `compare = "value"` holds the distance from it.
        of_pairs: a number about two groups, not one.
        checked: whether a policy's check may name it.
        source: paper, standard or library that defines it.
    """

    name: str
    called: str
    meaning: str
    better: Direction
    undefined_when: str
    needs_labels: bool
    needs_probabilities: bool
    low: float
    high: float
    ideal: float
    of_pairs: bool
    checked: bool
    source: str


_ONE_LABEL = "the group lacks rows of one label"
_NO_ROWS = "the group has no rows"
_INFINITE = float("inf")

SCORE_METRICS: dict[str, ScoreMetric] = {
    metric.name: metric
    for metric in (
        ScoreMetric(
            "roc_auc", "area under the ROC curve", "how often one labelled positive scores above one labelled negative",
            "higher", _ONE_LABEL, True, False, 0.0, 1.0, 1.0, False, True,
            "Hanley and McNeil (1982), Radiology 143; DeLong et al. (1988), Biometrics 44; scikit-learn",
        ),
        ScoreMetric(
            "calibration_in_the_large", "calibration in the large", "mean score less the share labelled positive",
            "neither", _NO_ROWS, True, True, -1.0, 1.0, 0.0, False, True,
            "Spiegelhalter (1986), Statistics in Medicine 5",
        ),
        ScoreMetric(
            "expected_calibration_error", "expected calibration error",
            "mean distance of mean score and share labelled positive over ten bins of equal mass",
            "lower", _NO_ROWS, True, True, 0.0, 1.0, 0.0, False, True,
            "Naeini, Cooper and Hauskrecht (2015), AAAI; bias: Kumar, Liang and Ma (2019), NeurIPS",
        ),
        ScoreMetric(
            "brier", "Brier score", "mean squared distance of score and label",
            "lower", _NO_ROWS, True, True, 0.0, 1.0, 0.0, False, True,
            "Brier (1950), Monthly Weather Review 78; scikit-learn",
        ),
        ScoreMetric(
            "mean_score", "mean score", "mean of the scores",
            "neither", _NO_ROWS, False, False, -_INFINITE, _INFINITE, 0.0, False, False, "none needed",
        ),
        ScoreMetric(
            "scoring_rate", "scoring rate", "share that scores on the favourable side of the median of all rows",
            "neither", _NO_ROWS, False, False, 0.0, 1.0, 0.0, False, False, "NYC Local Law 144, 6 RCNY 5-300",
        ),
        ScoreMetric(
            "standardized_mean_difference", "standardized mean difference",
            "difference of two groups' mean scores, in pooled standard deviations",
            "neither", "the scores of both groups are constant, or a group has one row", False, False,
            -_INFINITE, _INFINITE, 0.0, True, True, "Cohen (1988); in lending beside the adverse impact ratio",
        ),
        ScoreMetric(
            "ks", "Kolmogorov-Smirnov distance", "largest distance of two groups' distribution functions",
            "lower", _NO_ROWS, False, False, 0.0, 1.0, 0.0, True, False, "Smirnov (1948), Annals of Mathematical Statistics 19",
        ),
        ScoreMetric(
            "wasserstein", "Wasserstein distance", "how far scores would have to move on average for two groups to score alike",
            "lower", _NO_ROWS, False, False, 0.0, _INFINITE, 0.0, True, False, "Vallender (1974), Theory of Probability 18",
        ),
        ScoreMetric(
            "abroca", "area between the ROC curves", "area between two groups' ROC curves, wherever either lies above",
            "lower", _ONE_LABEL, True, False, 0.0, 1.0, 0.0, True, False, "Gardner, Brooks and Baker (2019), LAK",
        ),
        ScoreMetric(
            "cross_group_auc", "cross-group area under the ROC curve",
            "how often one labelled positive of a group scores above one labelled negative of another",
            "higher", "one group has none labelled positive, or the other none labelled negative", True, False,
            0.0, 1.0, 1.0, True, False, "Kallus and Zhou (2019), NeurIPS: xAUC",
        ),
    )
}  # fmt: skip
