"""What things are called in front of people: metrics, groups, verdicts. Whole sentences are in `sentences`."""

from evenhand.auditors.report import Group
from evenhand.auditors.words import legible, printable

UNKNOWN = "unknown"

VERDICTS = {
    "proven_disparity": "disparity proven",
    "proven_within": "proven within",
    "inconclusive": "inconclusive",
    "not_assessed": "not assessed",
    "not_informative": "not informative",
}

TONES = {
    "proven_disparity": "bad",
    "proven_within": "ok",
    "inconclusive": "maybe",
    "fail": "bad",
    "pass": "ok",
    "not_assessed": "quiet",
    "not_informative": "quiet",
    "proxy": "maybe",
    "joint_proxy": "maybe",
    "latent_proxy": "maybe",
    "masking": "maybe",
    "neutral": "quiet",
}
"""What a pill looks like; the text beside it always says the same, so that colour alone never tells."""

AUDITS = {
    "group_disparity": "group disparity",
    "proxy": "proxies",
    "robustness": "robustness",
    "perception": "perception",
    "representation": "representation",
}

ROLES = {
    "proxy": "needs justification",
    "latent_proxy": "encodes the attribute",
    "joint_proxy": "needs justification, with its set",
    "masking": "hides part of the gap: needs justification",
    "neutral": "neutral",
}

METRICS = {
    "f1": "F1",
    "roc_auc": "area under the ROC curve",
    "abroca": "area between ROC curves",
    "cross_group_auc": "cross-group area under the ROC curve",
    "ks": "Kolmogorov-Smirnov distance",
    "matthews_correlation": "Matthews correlation",
    "brier": "Brier score",
    "gaussian_blur": "blur",
    "jpeg": "JPEG",
    "aligned": "aligned gap of robust accuracy",
    "within_class": "gap of robust accuracy within a class",
    "marginal": "gap of robust accuracy over all classes",
    "correct_only": "gap of robust accuracy among what was correct before",
    "corruption_gap": "gap of accuracy under natural corruptions",
    "recourse": "rows without recourse",
    "recourse_cost": "median cost of recourse",
    "fragility": "decisions easily lost",
    "fragility_cost": "median cost of a lost decision",
    "class_gap": "class-conditional gap",
    "tcav": "concept activation (TCAV)",
}

PERCEPTION = {
    "paired_counterfactual": "paired counterfactual: the same person, another group",
    "class_gap": "class-conditional gap",
    "dream": "dream under a data prior",
    "dream_drift": "dream drift",
    "tcav": "concept activation (TCAV)",
    "cue_conflict": "cue conflict",
    "style_swap": "style swap",
    "learning_curves": "learning curves by group",
}

GAPS = {
    "aligned": "aligned gap",
    "within_class": "largest gap within a class",
    "marginal": "gap over all classes",
    "correct_only": "gap among pictures that were correct before the attack",
    "recourse": "gap in the share without recourse",
    "recourse_cost": "gap in the median cost of recourse",
    "fragility": "gap in the share of decisions easily lost",
    "fragility_cost": "gap in the median cost of a lost decision",
}


def metric(name: str) -> str:
    """'false_positive_rate' as 'false positive rate'."""
    return METRICS.get(name, name.replace("_", " "))


def first_upper(text: str) -> str:
    """Only the first letter: names keep their capitals."""
    return text[:1].upper() + text[1:]


def value(text: str | None) -> str:
    """One value of a sensitive column."""
    if text is None:
        return UNKNOWN
    if not text.strip():
        return "(empty text)"
    # a blank at an end would not be seen, and "M " stand twice beside "M"
    return legible(text) if text == text.strip() else f'"{legible(text)}"'


def on_lines(text: str) -> str:
    """As printable, with the line breaks and tabs of the text."""
    return "".join(sign if sign in "\n\t" else printable(sign) for sign in text) if not text.isprintable() else text


def group(group: Group | None) -> str:
    """{'sex': 'Female', 'race': 'Asian'} as 'Female, Asian'."""
    return ", ".join(value(text) for text in group.values()) if group else "everyone"


def group_in_full(group: Group) -> str:
    """{'sex': None} as 'sex unknown', {'sex': 'Female'} as 'sex Female': for where no column says what is meant."""
    return ", ".join(f"{legible(name)} {value(text)}" for name, text in group.items())


def role(name: str) -> str:
    """'latent_proxy' as 'latent proxy'."""
    return name.replace("_", " ")


def number_word(count: int) -> str:
    """Small counts in words, as in a sentence."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[count] if count < len(words) else f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """'one check', 'two checks', '1,204 checks'."""
    return f"{number_word(count)} {one if count == 1 else many or one + 's'}"
