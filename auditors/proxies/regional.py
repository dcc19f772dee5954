"""Rows of the report about regions: a feature or set where it encodes, and the same one everywhere else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.encoding import Encoding
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.places import outside, place_name
from evenhand.auditors.proxies.prepare import Prepared, Stratum, within
from evenhand.auditors.proxies.regions import Region, confirmed_regions, region_candidates
from evenhand.auditors.proxies.results import Question, block_subject, feature_rows, noted, set_row, set_subject
from evenhand.auditors.proxies.search import JointSet
from evenhand.auditors.proxies.set_regions import confirmed_set_regions, set_region_candidates
from evenhand.auditors.report import ProxyFeature, ProxySet
from evenhand.auditors.words import number, span


@dataclass(frozen=True)
class Place:
    """A region of an attribute under its name, and its complement."""

    region: Region
    inside: Stratum
    outside: Stratum


def find_places(
    prepared: Prepared,
    columns: Mapping[str, NDArray[Any]],
    groups: Groups,
    encodings: Mapping[str, Encoding],
    *,
    level: float,
) -> list[Place]:
    """Confirmed regions under their names; none below 2,000 rows, where no rows are left to confirm on.

    Args:
        columns: feature to values over all rows of the data.
        encodings: unit to what it says alone over all rows.
        level: of all confirmations of this attribute together; features and sets share its alpha equally.
    """
    half = 1 - (1 - level) / 2
    alone, together = region_candidates(prepared, groups), set_region_candidates(prepared, groups, encodings)
    places = []
    for region in (
        *confirmed_regions(prepared, groups, alone, level=half),
        *confirmed_set_regions(prepared, groups, together, level=half),
    ):
        name = place_name(prepared, columns, region.splitter, region.cells)
        places.append(Place(region, Stratum(name, region.inside), Stratum(outside(name), ~region.inside)))
    return places


def strata_of(places: Sequence[Place]) -> tuple[Stratum, ...]:
    """Insides and outsides, each name once."""
    return tuple({some.name: some for place in places for some in (place.inside, place.outside)}.values())


def regional_rows(question: Question, places: Sequence[Place]) -> Iterator[ProxyFeature]:
    """Two rows for each member of each block found: inside its region, and outside."""
    for place in places:
        if len(place.region.blocks) > 1:
            continue
        for here, encodings, note in _inside_and_outside(question, place, len(places)):
            one = replace(here, encodings=encodings)
            for row in feature_rows(one, block_subject(one, place.region.blocks[0], ())):
                yield noted(row, note)


def regional_sets(question: Question, places: Sequence[Place]) -> Iterator[ProxySet]:
    """Two rows for each joint set found in a region."""
    for place in places:
        if len(place.region.blocks) == 1:
            continue
        for here, encodings, note in _inside_and_outside(question, place, len(places)):
            if encodings:
                joint = JointSet(place.region.blocks, encodings["set"])
                row = set_row(here, set_subject(here, joint), joint)
                yield noted(row, note)


def place_notes(groups: Groups, prepared: Prepared, places: Sequence[Place]) -> Iterator[str]:
    """'zip encodes race where region = north (AUC .86, .83 to .89) and is not shown to elsewhere (...)'."""
    for place in places:
        inside, elsewhere = _strongest(place.region.encodings), _strongest(place.region.outside)
        names = " & ".join(prepared.blocks[block].name for block in place.region.blocks)
        alone = len(place.region.blocks) == 1
        yield (
            f"{names} {'encodes' if alone else 'together encode'} {groups.attribute} where {place.inside.name} "
            f"({_found(inside)}) and {'is' if alone else 'are'} not shown to elsewhere ({_found(elsewhere)})."
        )


def _inside_and_outside(
    question: Question, place: Place, places: int
) -> Iterator[tuple[Question, Mapping[str, Encoding], str]]:
    """The question in either place, what is encoded there, and what the row says of it."""
    region = place.region
    inside, elsewhere = _strongest(region.encodings), _strongest(region.outside)
    where = "it encodes" if len(region.blocks) == 1 else "they encode together"
    level = 1 - (1 - question.level) / max(1, 2 * places)
    for stratum, encodings, note in (
        (place.inside, region.encodings, f"found by search and confirmed on other rows; {_found(elsewhere)} outside"),
        (
            place.outside,
            region.outside,
            f"where {where}: {place.inside.name} ({_found(inside)})",
        ),
    ):
        groups = within(question.groups, stratum)
        yield (
            replace(question, groups=groups, encodings={}, sets=(), level=level, stratum=stratum.name),
            encodings,
            note,
        )


def _strongest(encodings: Mapping[str, Encoding]) -> Encoding | None:
    return max(encodings.values(), key=lambda some: (some.encodes, some.strength), default=None)


def _found(encoding: Encoding | None) -> str:
    if encoding is None:
        return "nothing to tell apart"
    return f"AUC {number(encoding.area, digits=2)}, {span(np.round(encoding.low, 3), np.round(encoding.high, 3))}"
