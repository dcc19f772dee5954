"""Rows of the report about regions: a feature where it encodes, and the same feature everywhere else."""

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
from evenhand.auditors.proxies.results import Question, block_subject, feature_rows
from evenhand.auditors.report import ProxyFeature
from evenhand.auditors.words import number, span


@dataclass(frozen=True)
class Place:
    """A region of an attribute under its name, and its complement."""

    region: Region
    inside: Stratum
    outside: Stratum


def find_places(
    prepared: Prepared, columns: Mapping[str, NDArray[Any]], groups: Groups, *, level: float
) -> list[Place]:
    """Confirmed regions under their names; none below 2,000 rows, where no rows are left to confirm on.

    Args:
        columns: feature to values over all rows of the data.
        level: of all confirmations of this attribute together.
    """
    candidates = region_candidates(prepared, groups)
    places = []
    for region in confirmed_regions(prepared, groups, candidates, level=level):
        name = place_name(prepared, columns, region.splitter, region.cells)
        places.append(Place(region, Stratum(name, region.inside), Stratum(outside(name), ~region.inside)))
    return places


def strata_of(places: Sequence[Place]) -> tuple[Stratum, ...]:
    """Insides and outsides, each name once."""
    return tuple({some.name: some for place in places for some in (place.inside, place.outside)}.values())


def regional_rows(question: Question, places: Sequence[Place]) -> Iterator[ProxyFeature]:
    """Two rows for each member of each block found: inside its region, and outside."""
    level = 1 - (1 - question.level) / max(1, 2 * len(places))
    for place in places:
        region = place.region
        inside, elsewhere = _strongest(region.encodings), _strongest(region.outside)
        notes = (
            f"found by search and confirmed on other rows; {_found(elsewhere)} outside",
            f"where it encodes: {place.inside.name} ({_found(inside)})",
        )
        for stratum, encodings, note in zip(
            (place.inside, place.outside), (region.encodings, region.outside), notes, strict=True
        ):
            here = replace(
                question,
                groups=within(question.groups, stratum),
                encodings=encodings,
                sets=(),
                level=level,
                stratum=stratum.name,
            )
            for row in feature_rows(here, block_subject(here, region.block, ())):
                yield row.model_copy(update={"note": "; ".join(filter(None, (note, row.note)))})


def place_notes(groups: Groups, prepared: Prepared, places: Sequence[Place]) -> Iterator[str]:
    """'zip encodes race where region = north (AUC .86, .83 to .89) and is not shown to elsewhere (...)'."""
    for place in places:
        inside, elsewhere = _strongest(place.region.encodings), _strongest(place.region.outside)
        yield (
            f"{prepared.blocks[place.region.block].name} encodes {groups.attribute} where {place.inside.name} "
            f"({_found(inside)}) and is not shown to elsewhere ({_found(elsewhere)})."
        )


def _strongest(encodings: Mapping[str, Encoding]) -> Encoding | None:
    return max(encodings.values(), key=lambda some: (some.encodes, some.strength), default=None)


def _found(encoding: Encoding | None) -> str:
    if encoding is None:
        return "nothing to tell apart"
    return f"AUC {number(encoding.area, digits=2)}, {span(np.round(encoding.low, 3), np.round(encoding.high, 3))}"
