"""Prints what dream and drift measure in planted and honest networks: `python -m tests.auditors.perception.dream_cases`.

The figures of docs/decisions/0010 come from here; some minutes of one core.
"""

from unittest import mock

import numpy as np
import torch

from evenhand.auditors.perception import dreaming
from evenhand.auditors.perception.context import Context
from tests.auditors.perception import planted

CASES: tuple[tuple[planted.Cue, float, int], ...] = (
    *(("tone", 0.5, seed) for seed in range(3)),
    *(("tone", 0.75, seed) for seed in range(2)),
    *(("tone", 0.95, seed) for seed in range(2)),
    *(("background", 0.5, seed) for seed in range(4)),
    *(("background", 0.95, seed) for seed in range(2)),
)


def line(cue: planted.Cue, rho: float, seed: int) -> str:
    """Effect, p-value and verdict of both checks, and the effect of dreams whose margin is not divided by its spread."""
    data = planted.audit_set(cue)
    network = planted.network(cue, rho, seed=seed)
    context = Context(
        data=data,
        classifier=network,
        attributes=(cue,),
        scores=np.zeros((len(data), 2)),
        prediction=data.label.astype(np.int64),
        seed=0,
        device="cpu",
        batch_size=64,
        tolerances={},
    )
    measured = [
        f"{answer.name} {answer.estimate:+.2f} p {answer.p_value:.2g} {answer.verdict}"
        + (" (watch)" if (answer.reason or "").startswith("watch") else "")
        for answer in dreaming.dreams_and_drift(context)
    ]
    with mock.patch.object(dreaming, "_margin_spreads", return_value=np.ones(2)):
        bare = next(dreaming.dreams_and_drift(context))
    return f"{cue} {rho:.2f} seed {seed}: {'; '.join(measured)}; logits as they are: dream {bare.estimate:+.2f}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in CASES:
        print(line(*case), flush=True)  # noqa: T201
