"""Rows of the report about declared strata: every feature, and joint sets, again in each; no findings come of them.

Strata that are searched for belong in `regional`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evenhand.auditors.proxies.encoding import decide_encodings, encoding_tests
from evenhand.auditors.proxies.prepare import Stratum, within
from evenhand.auditors.proxies.regions import encodes_less
from evenhand.auditors.proxies.results import Question, block_subject, feature_rows, noted, set_row, set_subject
from evenhand.auditors.proxies.search import JointSet, any_encodes, encode_together, find_sets
from evenhand.auditors.report import ProxyFeature, ProxySet

ALONE = "a member encodes alone here"

Members = tuple[int, ...]


def within_strata(
    questions: Sequence[Question], searched: Sequence[int], *, level: float
) -> tuple[list[ProxyFeature], list[ProxySet]]:
    """Encoding, sets and contribution in each declared stratum.

    Sets are searched for in each stratum. One that was found over all rows has a row in every stratum, and so has one that
    encodes in a stratum and less outside it: it is seen where it vanishes.

    Args:
        questions: over all rows, one for each attribute.
        searched: positions of the blocks to combine.
        level: 1 - alpha of all encodings here, and again of all sets here.
    """
    features: list[ProxyFeature] = []
    sets: list[ProxySet] = []
    for question in questions:
        strata = question.prepared.strata
        share = 1 - (1 - level) / max(1, len(questions) * len(strata))
        places = [_inside(question, stratum, share) for stratum in strata]
        found = [_sets_inside(question, place, searched, share) for place in places]
        anywhere = list(dict.fromkeys(blocks for some in (_known(question), *found) for blocks in some))
        for place, here in zip(places, found, strict=True):
            for block in range(len(place.prepared.blocks)):
                features += feature_rows(place, block_subject(place, block, ()))
            sets += _set_rows(place, _everywhere(place, here, anywhere, share))
    return features, sets


def _inside(question: Question, stratum: Stratum, level: float) -> Question:
    groups = within(question.groups, stratum)
    tests = encoding_tests(question.prepared.units, groups, question.prepared.folds)
    return replace(
        question,
        groups=groups,
        encodings=decide_encodings(tests, level=level),
        sets=(),
        level=1 - (1 - question.level) / len(question.prepared.strata),
        stratum=stratum.name,
    )


def _known(question: Question) -> dict[Members, JointSet]:
    return {joint.blocks: joint for joint in question.sets}


def _sets_inside(question: Question, place: Question, searched: Sequence[int], level: float) -> dict[Members, JointSet]:
    """Sets confirmed in the stratum that are known over all rows, or encode less outside."""
    known = _known(question)
    found = find_sets(place.prepared, place.groups, place.encodings, searched, level=level).sets
    elsewhere = replace(question.groups, codes=np.where(place.groups.codes >= 0, np.int32(-1), question.groups.codes))
    news = [joint.blocks for joint in found if joint.blocks not in known]
    outside = encode_together(place.prepared, elsewhere, news, level=level)
    return {
        joint.blocks: joint
        for joint in found
        if joint.blocks in known or joint.blocks not in outside or encodes_less(outside[joint.blocks], joint.encoding)
    }


def _everywhere(
    place: Question, here: dict[Members, JointSet], anywhere: Sequence[Members], level: float
) -> list[JointSet]:
    """The sets found here as they were confirmed; others, found elsewhere, by a test of their own."""
    others = [blocks for blocks in anywhere if blocks not in here]
    tested = encode_together(place.prepared, place.groups, others, level=level)
    known = here | {blocks: JointSet(blocks, encoding) for blocks, encoding in tested.items()}
    return [known[blocks] for blocks in anywhere if blocks in known]


def _set_rows(place: Question, sets: Sequence[JointSet]) -> list[ProxySet]:
    rows = []
    for joint in sets:
        row = set_row(place, set_subject(place, joint), joint)
        alone = any(any_encodes(place.prepared, place.encodings, block) for block in joint.blocks)
        rows.append(noted(row, ALONE if alone else None))
    return rows
