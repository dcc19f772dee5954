"""Arranges the perception audit for a reader without training: the question behind each check, and its answer in words."""

from evenhand.auditors.report import Panel, Perception, PerceptionCheck
from evenhand.service.render import charts, words

QUESTIONS = {
    "paired_counterfactual": "Would the same person be called something else in another group?",
    "class_gap": "Among people of the same true class, is one group called the class more often?",
    "dream": "When it imagines each class within pictures like these, does one group appear?",
    "dream_drift": "When it improves a real picture toward a class, does the group change along?",
    "tcav": "Does its score rise toward one group, seen in its middle layer?",
    "cue_conflict": "Where a cue and the shape disagree, does it follow the cue?",
    "style_swap": "Does the look of a group alone, laid over a picture, turn decisions?",
    "learning_curves": "Did training leave one group of a class behind?",
}

EDITED = {
    "background": "on another background",
    "ink": "in ink of another hue",
    "colour": "with all its colours turned",
    "mirror": "seen in a mirror",
    "grey": "in grey",
    "texture": "with stripes behind",
}
"""What is done to the same picture in rows about "edit: NAME"."""

CUES = {"background": "the background", "ink": "the hue of the ink"}

MEASURES = {
    "paired_counterfactual": "net share of decisions that turn",
    "class_gap": "difference of shares, mean over classes",
    "dream": "standard deviations of the group's score, by the judge that sees less",
    "dream_drift": "standard deviations of the group's score, by the judge that sees less",
    "tcav": "share of pictures; .5 is neutral",
    "cue_conflict": "share that follows the cue",
    "style_swap": "net share of decisions that turn",
    "learning_curves": "accuracy of all less that of the worst cell",
}

ANSWERS = {
    "proven_disparity": "Yes: more than is tolerated, and more than chance. This needs justification.",
    "proven_within": "No more than is tolerated, and that is shown.",
    "inconclusive": "Open: these pictures show it neither way.",
    "not_assessed": "This could not be asked. That is no pass.",
}

NEVER_DECIDED = (
    "These panels have no verdict. Pictures of what a network responds to look equally striking for honest and for biased "
    "networks: judged on them, honest models would be accused. Beside each stands what classifiers show that learned nothing "
    "or little; what they show as well says nothing about this network."
)


def question(check: PerceptionCheck) -> str:
    """The question in words; a row about an edit of pictures asks about the same picture, not the same person."""
    edit = check.attribute.removeprefix("edit: ") if check.attribute.startswith("edit: ") else None
    if check.name == "paired_counterfactual" and edit in EDITED:
        return f"Would the same picture be called something else {EDITED[edit]}?"
    if check.name == "cue_conflict" and edit in CUES:
        return f"Where {CUES[edit]} and the shape disagree, does it follow {CUES[edit]}?"
    return QUESTIONS[check.name]


def measure(check: PerceptionCheck) -> str:
    """What the effect counts."""
    return MEASURES[check.name]


def answer(check: PerceptionCheck) -> str:
    """The verdict in a sentence, with the direction where there is one."""
    if check.name == "tcav" and check.verdict == "inconclusive":
        return "It may support other answers, and has no verdict of its own."
    return ANSWERS[check.verdict]


def answer_in_full(check: PerceptionCheck) -> str:
    """The answer, the direction where there is one, and the reason."""
    said = "Direction" if check.verdict == "proven_disparity" else "If anything"
    direction = f"{said}: {check.direction}." if check.direction else ""
    reason = f"{words.first_upper(check.reason)}." if check.reason else ""
    return " ".join(filter(None, (answer(check), direction, reason)))


def beside(audit: Perception, check: PerceptionCheck) -> list[Panel]:
    """The pictures that illustrate a check."""
    return [panel for panel in audit.panels if (panel.check, panel.attribute) == (check.name, check.attribute)]


def alone(audit: Perception) -> list[Panel]:
    """The panels that belong to no check."""
    return [panel for panel in audit.panels if panel.check is None]


def plot(panel: Panel) -> charts.CurveChart:
    """The curves of a panel, in [0, 1]."""
    return charts.curves([(curve.name, curve.x, curve.y, curve.y, curve.y) for curve in panel.curves])
