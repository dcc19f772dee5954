"""A graph as a list of steps in order, from its inputs to the one output that is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, Value
from evenhand.classifiers.runtimes.interpreter.operators import (
    LEARNING,
    NEWEST_OPSET,
    OLDEST_OPSET,
    STANDARD,
    Operator,
    table,
    unknown,
)
from evenhand.classifiers.runtimes.interpreter.values import from_attribute, from_tensor

STANDARD_NAMES = ("", "ai.onnx")


@dataclass(frozen=True)
class Step:
    """One node: its operator, the names it reads and writes, and the names that nobody reads afterwards."""

    operator: Operator
    name: str
    attributes: Mapping[str, Any]
    opset: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    forgets: tuple[str, ...] = ()


class Graph:
    """The part of a model that leads to one of its values, ready to be computed.

    Args:
        model: an onnx.ModelProto.
        output: name of the value that is asked for; of an output, or of anything between.
        also: values on the way to it that are kept as well.

    Raises:
        NotInterpretable: an operator, a type or an opset that is not known here; the message names all operators.
    """

    def __init__(self, model: Any, *, output: str, also: tuple[str, ...] = ()) -> None:
        model = _inlined(model)
        opsets = {_domain(each.domain): each.version for each in model.opset_import}
        nodes = needed(model.graph, output)
        _check_opset(opsets.get(STANDARD, OLDEST_OPSET))
        _check_operators(nodes)
        self.output, self.also = output, also
        self.inputs = tuple(each.name for each in model.graph.input)
        self._constants: dict[str, Value] = {
            each.name: from_tensor(each) for each in model.graph.initializer if each.name not in self.inputs
        }
        steps = self._fold([_step(node, opsets) for node in nodes])
        self._steps = _with_last_uses(steps, keep={output, *also, *self._constants})
        self._constants = {
            name: value
            for name, value in self._constants.items()
            if name in (output, *also) or any(name in step.reads for step in self._steps)
        }

    def run(self, feed: Mapping[str, Value]) -> Value:
        """The value asked for; see `run_with`."""
        return self.run_with(feed)[0]

    def run_with(self, feed: Mapping[str, Value]) -> tuple[Value, dict[str, Value]]:
        """The value asked for, and by name those kept on the way to it.

        Args:
            feed: of every input, by name.

        Raises:
            NotInterpretable: a setting of an operator that is not done here.
        """
        values: dict[str, Value] = {**self._constants, **feed}
        for step in self._steps:
            values.update(_computed(step, values))
            for name in step.forgets:
                del values[name]
        return values[self.output], {name: values[name] for name in self.also}

    def _fold(self, steps: list[Step]) -> list[Step]:
        """Compute at once what depends on constants alone; return the other steps."""
        left = []
        for step in steps:
            if all(name in self._constants for name in step.reads if name):
                self._constants.update(_computed(step, self._constants))
            else:
                left.append(step)
        return left


def needed(graph: Any, output: str) -> list[Any]:
    """The nodes that lead to a value, in the file's order, which ONNX demands to be computable."""
    wanted, nodes = {output}, []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.append(node)
    return nodes[::-1]


def _inlined(model: Any) -> Any:
    if not model.functions:
        return model
    from onnx import inliner

    return inliner.inline_local_functions(model)


def _domain(domain: str) -> str:
    return STANDARD if domain in STANDARD_NAMES else domain


def _check_opset(opset: int) -> None:
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise NotInterpretable(f"opset {opset}; {OLDEST_OPSET} to {NEWEST_OPSET} are known")


def _check_operators(nodes: list[Any]) -> None:
    missing = unknown((_domain(node.domain), node.op_type) for node in nodes)
    if missing:
        raise NotInterpretable(f"operator{'s' if len(missing) > 1 else ''} {', '.join(missing)[:400]}")


def _step(node: Any, opsets: Mapping[str, int]) -> Step:
    domain = _domain(node.domain)
    try:
        attributes = {each.name: from_attribute(each) for each in node.attribute}
    except NotInterpretable as problem:
        raise NotInterpretable(f"operator {node.op_type} with {problem}") from None
    default = OLDEST_OPSET if domain != LEARNING else 1
    return Step(
        operator=table()[domain, node.op_type],
        name=node.op_type,
        attributes=attributes,
        opset=opsets.get(domain, default),
        reads=tuple(node.input),
        writes=tuple(node.output),
    )


def _with_last_uses(steps: list[Step], *, keep: set[str]) -> list[Step]:
    """Each step with the values that can be freed after it, so that scoring needs no more memory than it must."""
    read_later, marked = set(keep), []
    for step in reversed(steps):
        names = {name for name in (*step.reads, *step.writes) if name and name not in read_later}
        read_later |= names
        marked.append(
            Step(step.operator, step.name, step.attributes, step.opset, step.reads, step.writes, tuple(sorted(names)))
        )
    return marked[::-1]


def _computed(step: Step, values: Mapping[str, Value]) -> dict[str, Value]:
    inputs = tuple(values[name] if name else None for name in step.reads)
    try:
        answer = step.operator.run(Call(inputs, step.attributes, step.opset, len(step.writes)))
    except NotInterpretable as problem:
        raise NotInterpretable(f"operator {step.name}: {problem}") from None
    answers = answer if isinstance(answer, tuple) else (answer,)
    if len(answers) < len(step.writes):
        raise NotInterpretable(f"operator {step.name}: only the first {len(answers)} of {len(step.writes)} outputs")
    return {name: value for name, value in zip(step.writes, answers, strict=False) if name}
