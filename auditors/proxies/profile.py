"""What a feature looks like by group: how its values are spread, and how often each is decided for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile, wilson
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.roles import ROLE_ORDER
from evenhand.auditors.report import FeatureProfile, ProfileCell, ProxyFeature

MOST_FEATURES = 20
"""Features of an attribute that are profiled: those that need a justification, then those that move the gap most."""

MOST_CELLS = 10
BINS = 8
MOST_GROUPS = 5
LEVEL = 0.95


@dataclass(frozen=True)
class Cells:
    """The values of a feature in few cells: `codes`, shape (n,), index into `texts`; the last text is None if missing.

    `note` says what was put together.
    """

    codes: NDArray[np.int64]
    texts: tuple[str | None, ...]
    note: str | None = None


def most_telling(features: Sequence[ProxyFeature]) -> list[str]:
    """The features to profile, of one attribute's rows: by role, then contribution, then how much they encode."""

    def rank(row: ProxyFeature) -> tuple[int, float, float, str]:
        encodes = abs((0.5 if row.encodes.auc is None else row.encodes.auc) - 0.5)
        return -ROLE_ORDER.index(row.role), -abs(row.contribution.estimate or 0.0), -encodes, row.feature

    return [row.feature for row in sorted(features, key=rank)[:MOST_FEATURES]]


def profiled(
    features: Sequence[ProxyFeature],
    columns: Mapping[str, NDArray[Any]],
    prepared: Prepared,
    positive: NDArray[np.bool_] | None,
) -> list[ProxyFeature]:
    """The rows of features over all strata, the most telling ones of each attribute with their profile.

    Args:
        columns: feature to values of every row of the data.
        positive: decisions on the sampled rows; None where there are none.
    """
    cells: dict[str, Cells] = {}
    shown: list[ProxyFeature] = list(features)
    for groups in prepared.groups:
        telling = set(most_telling([row for row in features if row.attribute == groups.attribute]))
        for index, row in enumerate(features):
            if row.attribute == groups.attribute and row.feature in telling:
                if row.feature not in cells:
                    cells[row.feature] = cells_of(columns[row.feature][prepared.rows])
                shown[index] = row.model_copy(update={"profile": profile(cells[row.feature], groups, positive)})
    return shown


def cells_of(values: NDArray[Any]) -> Cells:
    """At most ten cells and one for missing.

    Args:
        values: shape (n,): numbers with NaN for missing, or texts with None for missing.

    Returns:
        Each value where there are at most ten; else eight bins of about as many rows for numbers, and the nine most
        frequent values and the rest for texts.
    """
    if values.dtype.kind in "biuf":
        return _of_numbers(values.astype(np.float64, copy=False))
    return _of_texts(values)


def profile(cells: Cells, groups: Groups, positive: NDArray[np.bool_] | None) -> FeatureProfile:
    """Rows, share and rate of positive decisions of every cell by group, with Wilson's interval, each at 95 %.

    Args:
        cells: of the feature, codes of shape (n,).
        groups: codes of shape (n,); with more than five groups the largest are shown.
        positive: the decisions, shape (n,); None where there are none.

    Source: Wilson (1927), Journal of the American Statistical Association 22.
    """
    sizes = np.bincount(groups.codes[groups.codes >= 0], minlength=len(groups.names))
    shown = np.sort(np.argsort(-sizes, kind="stable")[:MOST_GROUPS])
    rows = _table(cells, groups, shown, None)
    decided = None if positive is None else _table(cells, groups, shown, positive)
    notes = [cells.note] if cells.note else []
    if len(shown) < len(sizes):
        notes.append(f"the {len(shown)} largest of {len(sizes)} groups")
    return FeatureProfile(
        groups=[groups.names[group] for group in shown],
        rows=[int(sizes[group]) for group in shown],
        cells=[
            _cell(text, rows[index], sizes[shown], None if decided is None else decided[index])
            for index, text in enumerate(cells.texts)
        ],
        level=LEVEL,
        note="; ".join(notes) or None,
    )


def _cell(
    text: str | None, rows: NDArray[np.int64], sizes: NDArray[np.int64], decided: NDArray[np.int64] | None
) -> ProfileCell:
    share = [float(n / size) if size else None for n, size in zip(rows, sizes, strict=True)]
    if decided is None:
        return ProfileCell(value=text, rows=rows.tolist(), share=share)
    between = wilson(decided, rows, z=normal_quantile((1 + LEVEL) / 2))
    some = rows > 0
    return ProfileCell(
        value=text,
        rows=rows.tolist(),
        share=share,
        rate=[float(k / n) if n else None for k, n in zip(decided, rows, strict=True)],
        low=_known(between.low, some),
        high=_known(between.high, some),
    )


def _known(values: NDArray[np.float64], some: NDArray[np.bool_]) -> list[float | None]:
    return [float(value) if known else None for value, known in zip(values, some, strict=True)]


def _table(
    cells: Cells, groups: Groups, shown: NDArray[np.int64], positive: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Rows (those decided for, with `positive`) by cell and shown group."""
    counted = groups.codes >= 0 if positive is None else (groups.codes >= 0) & positive
    size = len(groups.names)
    both = cells.codes[counted] * size + groups.codes[counted]
    return np.bincount(both, minlength=len(cells.texts) * size).reshape(len(cells.texts), size)[:, shown]


def _of_numbers(values: NDArray[np.float64]) -> Cells:
    missing = np.isnan(values)
    known = values[~missing]
    distinct = np.unique(known)
    if len(distinct) <= MOST_CELLS:
        codes, texts, note = np.searchsorted(distinct, values), [_text(value) for value in distinct], None
    else:
        # edges are values that occur, so that infinite ones do no harm
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower"))
        codes = np.searchsorted(edges, values, side="left")
        found = [known[codes[~missing] == cell] for cell in range(len(edges) + 1)]
        kept = [cell for cell, some in enumerate(found) if len(some)]
        codes = np.searchsorted(kept, codes)
        texts = [_range(found[cell]) for cell in kept]
        note = f"{len(distinct):,} values in {len(texts)} bins of about as many rows, as far as equal values allow"
    return _with_missing(codes, texts, missing, note)


def _of_texts(values: NDArray[Any]) -> Cells:
    listed = values.tolist()
    counts: dict[Any, int] = {}
    for value in listed:
        counts[value] = counts.get(value, 0) + 1
    known = sorted((value for value in counts if not _absent(value)), key=lambda value: (-counts[value], str(value)))
    named = known if len(known) <= MOST_CELLS else known[: MOST_CELLS - 1]
    rest = len(known) - len(named)
    code_of = {value: min(index, len(named)) for index, value in enumerate(known)}
    texts = [str(value) for value in named] + ([f"{rest:,} other values"] if rest else [])
    codes = np.fromiter((code_of.get(value, len(texts)) for value in listed), np.int64, len(listed))
    missing = np.fromiter(map(_absent, listed), bool, len(listed))
    note = f"the {len(named)} most frequent of {len(known):,} values" if rest else None
    return _with_missing(codes, texts, missing, note)


def _with_missing(codes: NDArray[Any], texts: list[str], missing: NDArray[np.bool_], note: str | None) -> Cells:
    if not missing.any():
        return Cells(codes.astype(np.int64), tuple(texts), note)
    return Cells(np.where(missing, len(texts), codes).astype(np.int64), (*texts, None), note)


def _range(values: NDArray[np.float64]) -> str:
    low, high = values.min(), values.max()
    return _text(low) if low == high else f"{_text(low)} to {_text(high)}"


def _text(value: float) -> str:
    # whole numbers in full and without separators: many are years and codes
    return f"{value:.0f}" if abs(value) < 1e15 and float(value).is_integer() else f"{value:.4g}"


def _absent(value: object) -> bool:
    return value is None or value != value
