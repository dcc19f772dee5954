"""The title of an audit that was given none: the data, whose decisions they are, by whom they are told apart, what is asked."""

from collections.abc import Sequence

from evenhand.datasets.counting.asked import DEFAULT_THRESHOLD
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.datasets.lookup import DatasetChoice
from evenhand.service.render import words

NAMED = 3
"""More names of one kind are counted."""


def title_of(asked: AuditSubmission, data: DatasetChoice, model_name: str | None) -> str:
    """'compas: decile_score >= 5, by sex, race; true positive rate'.

    Args:
        data: of the card of a built-in set come the columns that the request leaves open.
        model_name: None where the predictions are in the data.
    """
    section, card = asked.policy.data, data.card
    decided_by = model_name or _predicted_by(asked, data)
    by = section.sensitive or (card.sensitive if card else ())
    # a trained model is called after its data
    title = decided_by if decided_by.endswith(f" on {data.name}") else f"{data.name}: {decided_by}"
    title += f", by {_listed(by)}" if by else ""
    if section.where:
        title += f", where {_listed([f'{name} = {value}' for name, value in section.where.items()])}"
    asks = [words.metric(check.metric) for check in asked.policy.check]
    if only := asked.only or asked.policy.only:
        asks = [f"only {_listed([words.AUDITS[name] for name in only])}", *asks]
    return title + (f"; {_listed(asks)}" if asks else "")


def _predicted_by(asked: AuditSubmission, data: DatasetChoice) -> str:
    section, card = asked.policy.data, data.card
    prediction, score, threshold = section.prediction, section.score, section.threshold
    if prediction is None and score is None and card is not None:
        prediction, score = card.prediction, card.score
    if threshold is None and card is not None and card.score == score:
        threshold = card.threshold
    if score is not None:
        return f"{score} >= {DEFAULT_THRESHOLD if threshold is None else threshold:g}"
    return prediction or "predictions"


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = len(names) - NAMED
    # one more takes no more room than saying so
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:NAMED])} and {more} more"
