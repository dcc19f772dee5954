"""Which changes of a row are feasible: from the policy's rules, and what is assumed where it has none. Nothing is asked here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import PolicyError, listed, nearest
from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.report import FeasibleFeature
from evenhand.auditors.robustness.tables.data import RowData
from evenhand.auditors.robustness.tables.quantiles import Distribution
from evenhand.auditors.robustness.tables.ties import Values, matching, tied, values_of
from evenhand.auditors.robustness.tables.values import coarse, in_range, most_frequent, named_categories, named_numbers

Floats = NDArray[np.float64]
Direction = Literal["up", "down"]

LOWEST, HIGHEST = 0.01, 0.99
"""Quantiles between which an ordered feature moves where the policy names no range."""


@dataclass(frozen=True, eq=False)
class Block:
    """One thing that can change: a feature, with those that always change with it.

    Attributes:
        members: the features; the first one is measured.
        values: feature to the values it can take, each of shape (k,); ordered ones ascend.
        distribution: of an ordered feature; None for categories.
        positions: of an ordered feature's values in its distribution, shape (k,).
        coarse: which of the values are tried first.
        weight: what moving through the whole distribution costs, and what another category costs.
    """

    members: tuple[str, ...]
    values: Mapping[str, NDArray[Any]]
    distribution: Distribution | None
    positions: Floats
    coarse: NDArray[np.intp]
    weight: float = 1.0
    direction: Direction | None = None
    actionable: bool = True

    @property
    def leader(self) -> str:
        return self.members[0]

    @property
    def ordered(self) -> bool:
        return self.distribution is not None

    def costs(self, own: NDArray[Any]) -> Floats:
        """Cost of every value for rows with these own values, shape (n, k); infinite where it is not feasible.

        A missing value stays missing, and to stay is no change.
        """
        values = self.values[self.leader]
        if self.distribution is None:
            known = np.array([value is not None and value == value for value in own.tolist()], dtype=bool)
            free = known[:, None] & (own[:, None] != values[None, :])
            return np.where(free, self.weight, np.inf)
        moved = self.weight * np.abs(self.positions[None, :] - self.distribution.position(own)[:, None])
        free = np.isfinite(own)[:, None] & (own[:, None] != values[None, :])
        if self.direction == "up":
            free &= values[None, :] > own[:, None]
        if self.direction == "down":
            free &= values[None, :] < own[:, None]
        return np.where(free, moved, np.inf)


@dataclass(frozen=True)
class Feasible:
    """The blocks that can change, and every feature with what was assumed about it, for the report."""

    blocks: tuple[Block, ...]
    features: tuple[FeasibleFeature, ...]

    def actionable(self) -> "Feasible":
        """What a person can act on."""
        return replace(self, blocks=tuple(block for block in self.blocks if block.actionable))


def feasible_changes(data: RowData, *, rules: Mapping[str, FeatureRule], sensitive: Sequence[str] = ()) -> Feasible:
    """What can change in a row.

    Args:
        data: all rows; ranges and sets of categories are those observed in them, the same for every group.
        rules: by feature, from `[robustness.features]`.
        sensitive: columns that never change, beside the attributes.

    Without a rule a sensitive column and what the data set's card fixes stay, whole numbers stay whole, numbers move between
    the observed 1 and 99 % quantiles, and categories among those observed. Features that determine each other one to
    one change together.

    Raises:
        PolicyError: a rule is about no feature, or asks what its feature does not allow.

    Source: Ustun, Spangher and Liu (2019), Actionable recourse in linear classification, FAT*.
    """
    never = {*sensitive, *data.attributes}
    _refuse_unknown(rules, data, never)
    fixed = {name: why for name in data.columns if (why := _why_fixed(name, data, rules, never))}
    blocks: list[Block] = []
    described: dict[str, FeasibleFeature] = {}
    for members in tied(data.columns, data.categorical):
        held = next((name for name in members if name in fixed), None)
        if held is not None:
            for name in members:
                reason = fixed.get(name) or f"changes with {held} alone"
                described[name] = _described(name, data, None, reason, rules)
            continue
        block = _block(members, data, rules)
        empty = len(block.values[block.leader]) == 0
        blocks += [] if empty else [block]
        for name in members:
            reason = "no other value is allowed" if empty else _reason(name, block, rules)
            described[name] = _described(name, data, None if empty else block, reason, rules)
    return Feasible(tuple(blocks), tuple(described[name] for name in data.columns))


def _refuse_unknown(rules: Mapping[str, FeatureRule], data: RowData, never: set[str]) -> None:
    for name, rule in rules.items():
        if name not in data.columns and name not in never:
            raise PolicyError(
                f"robustness.features names '{name}', which is no feature of the model.{nearest(name, data.columns)} "
                f"Features: {listed(data.columns)}."
            )
        if name in never and "immutable" in rule.model_fields_set and not rule.immutable:
            raise PolicyError(
                f"robustness.features.{name} is not immutable, and '{name}' is a sensitive column: nobody is asked to "
                "change it. Remove the rule."
            )


def _why_fixed(name: str, data: RowData, rules: Mapping[str, FeatureRule], never: set[str]) -> str | None:
    if name in never:
        return "fixed: a sensitive column"
    rule = rules.get(name)
    if rule is not None:
        return "fixed by the policy" if rule.immutable else None
    return "fixed: the data set's card says that nobody is asked to change it" if name in data.fixed else None


def is_ordered(name: str, data: RowData) -> bool:
    """Whether a feature's values have an order."""
    return data.columns[name].dtype.kind == "f" and name not in data.categorical


def _block(members: tuple[str, ...], data: RowData, rules: Mapping[str, FeatureRule]) -> Block:
    leader = members[0]
    rule = rules.get(leader, FeatureRule())
    actionable = all(rules.get(name, FeatureRule()).actionable for name in members)
    column = data.columns[leader]
    if not is_ordered(leader, data):
        if rule.low is not None or rule.high is not None or rule.direction or rule.integer:
            raise PolicyError(
                f"robustness.features.{leader} names a range, a direction or whole numbers, and the values of '{leader}' "
                "have no order. Name `values` instead."
            )
        seen = values_of(column)
        chosen = named_categories(leader, rule.values, seen) if rule.values else most_frequent(seen)
        chosen = chosen.astype(column.dtype)
        values: Values = {name: matching(leader, name, data.columns, chosen) for name in members}
        return Block(members, values, None, np.zeros(len(chosen)), np.arange(len(chosen)), rule.cost, None, actionable)
    if not np.isfinite(column).any():
        return Block(members, {name: data.columns[name][:0] for name in members}, None, np.zeros(0), np.arange(0))
    distribution = Distribution.of(column)
    numbers = named_numbers(leader, rule, distribution) if rule.values else in_range(leader, rule, distribution)
    if len(members) > 1:  # what changes with a feature is known at observed values only
        numbers = numbers[np.isin(numbers, distribution.values)]
    return Block(
        members,
        {name: numbers if name == leader else matching(leader, name, data.columns, numbers) for name in members},
        distribution,
        distribution.position(numbers),
        coarse(distribution.position(numbers)),
        rule.cost,
        rule.direction,
        actionable,
    )


def _reason(name: str, block: Block, rules: Mapping[str, FeatureRule]) -> str:
    rule = rules.get(name)
    said = rule.model_fields_set if rule is not None else set()
    parts = []
    if block.ordered and name == block.leader and not said & {"low", "high", "values"}:
        parts.append("range assumed: observed 1 to 99 % quantiles")
    if not block.ordered and name == block.leader and "values" not in said:
        parts.append("categories assumed: those observed")
    if said - {"unit"}:
        parts.append("otherwise as the policy says" if parts else "as the policy says")
    if len(block.members) > 1:
        others = [other for other in block.members if other != name]
        parts.append(f"changes with {listed(others)}: their values determine each other")
    if not block.actionable:
        parts.append("not actionable: counts for fragility alone")
    return "; ".join(parts)


def _described(
    name: str, data: RowData, block: Block | None, reason: str, rules: Mapping[str, FeatureRule]
) -> FeasibleFeature:
    numbers = block.values[name] if block is not None and is_ordered(name, data) else None
    finite = data.columns[name][np.isfinite(data.columns[name])] if is_ordered(name, data) else None
    rule = rules.get(name, FeatureRule())
    return FeasibleFeature(
        feature=name,
        changes=block is not None,
        actionable=block is not None and block.actionable,
        ordered=is_ordered(name, data),
        direction=block.direction if block is not None and name == block.leader else None,
        whole=None if finite is None else bool(np.all(finite == np.round(finite))),
        low=float(numbers[0]) if numbers is not None else None,
        high=float(numbers[-1]) if numbers is not None else None,
        values=0 if block is None else len(block.positions),
        cost=block.weight if block is not None and name == block.leader else None,
        unit=rule.unit,
        reason=reason,
    )
