"""The one table of operators that can be computed, and why some never will be. Each family fills it from its own file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from evenhand.classifiers.runtimes.interpreter.call import Call

STANDARD, LEARNING = "", "ai.onnx.ml"
OLDEST_OPSET, NEWEST_OPSET = 13, 26

Run = Callable[[Call], Any]


@dataclass(frozen=True)
class Operator:
    """One operator.

    Args:
        name, domain: as in the file.
        family: the file it is in; a heading of the reference page.
        run: from inputs and attributes to its output, or a tuple of several.
        gradient: whether a change of its input can change its output a little; roundings and comparisons cannot.
        limits: what of it is not done, in words; empty for all.
    """

    name: str
    domain: str
    family: str
    run: Run
    gradient: bool
    limits: str = ""


REFUSED = {
    **dict.fromkeys(("If", "Loop", "Scan", "SequenceMap"), "control flow is not followed"),
    **dict.fromkeys(
        ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"), "trees are steps, without gradients"
    ),
    **dict.fromkeys(
        ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
        "it draws at random, so that two calls differ",
    ),
}
"""Operators that are refused on purpose, with the reason."""

_table: dict[tuple[str, str], Operator] = {}


def operator(
    *names: str, family: str, domain: str = STANDARD, gradient: bool = True, limits: str = ""
) -> Callable[[Run], Run]:
    """Enter a function into the table, under one name or several that it computes alike."""

    def enter(run: Run) -> Run:
        for name in names:
            _table[domain, name] = Operator(name, domain, family, run, gradient, limits)
        return run

    return enter


def enter_all(functions: dict[str, Callable[..., Any]], *, family: str, gradient: bool = True) -> None:
    """Enter functions of tensors alone, without attributes."""
    for name, function in functions.items():
        operator(name, family=family, gradient=gradient)(_of_tensors(function))


def _of_tensors(function: Callable[..., Any]) -> Run:
    return lambda call: function(*call.tensors())


def table() -> dict[tuple[str, str], Operator]:
    """All operators by domain and name."""
    from evenhand.classifiers.runtimes.interpreter import (  # noqa: F401  # each fills the table when it is imported
        activation,
        arithmetic,
        convolution,
        learning,
        normalisation,
        reduction,
        selection,
        shape,
    )

    return _table


def unknown(wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Those that are not in the table, sorted, each with its domain and the reason where there is one."""
    known = table()
    missing = sorted({(domain, name) for domain, name in wanted if (domain, name) not in known})
    return [_spoken(domain, name) for domain, name in missing]


def _spoken(domain: str, name: str) -> str:
    whole = f"{domain}.{name}" if domain else name
    return f"{whole} ({REFUSED[name]})" if name in REFUSED and domain in (STANDARD, LEARNING) else whole
