"""Every operator of the interpreter, alone in a graph, against onnxruntime."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import defs, helper
from onnx.reference import ReferenceEvaluator

from evenhand.classifiers.runtimes.interpreter.graph import Graph
from evenhand.classifiers.runtimes.interpreter.operators import NEWEST_OPSET, OLDEST_OPSET, REFUSED, table

from .cases import CASES, CONSTANTS, MATRIX, Case

onnxruntime.set_default_logger_severity(4)


def kind_of(value):
    return onnx.TensorProto.STRING if value.dtype == object else helper.np_dtype_to_tensor_dtype(value.dtype)


def single_node(case: Case, opset: int) -> onnx.ModelProto:
    """The node with its first input free and the others constant."""
    arrays = [None if value is None else np.asarray(value) for value in case.inputs]
    names = [f"in{place}" if value is not None else "" for place, value in enumerate(arrays)]
    node = helper.make_node(
        case.name, names, [f"out{place}" for place in range(case.outputs)], domain=case.domain, **case.attributes
    )
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("in0", kind_of(arrays[0]), arrays[0].shape)],
        [helper.make_empty_tensor_value_info(f"out{place}") for place in range(case.outputs)],
        [
            onnx.numpy_helper.from_array(value, names[place])
            for place, value in enumerate(arrays)
            if place and names[place]
        ],
    )
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=10)
    return onnx.shape_inference.infer_shapes(model)


def computed(model: onnx.ModelProto, output: str, value) -> object:
    array = np.asarray(value)
    fed = array if array.dtype == object else torch.from_numpy(np.array(array))
    return Graph(model, output=output).run({"in0": fed})


def both(case: Case, opset: int):
    model = single_node(case, opset)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"in0": np.asarray(case.inputs[0])})
    return [computed(model, f"out{place}", case.inputs[0]) for place in range(case.outputs)], expected


WITH_OPSETS = [(case, opset) for case in CASES for opset in case.opsets]


@pytest.mark.parametrize(("case", "opset"), WITH_OPSETS, ids=[f"{case.id}-{opset}" for case, opset in WITH_OPSETS])
def test_operator_computes_what_onnxruntime_computes(case, opset):
    answers, expected = both(case, opset)

    for answer, wanted in zip(answers, expected, strict=True):
        if isinstance(wanted, list) or wanted.dtype == object:
            assert (answer if isinstance(answer, list) else answer.tolist()) == (
                wanted if isinstance(wanted, list) else wanted.tolist()
            )
            continue
        assert str(answer.dtype).removeprefix("torch.") == str(wanted.dtype)
        assert tuple(answer.shape) == wanted.shape
        np.testing.assert_allclose(answer.numpy(), wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("attribute", CONSTANTS)
def test_constant_holds_what_its_attribute_says(attribute):
    node = helper.make_node("Constant", [], ["out0"], **{attribute: CONSTANTS[attribute]})
    graph = helper.make_graph([node], "one", [], [helper.make_empty_tensor_value_info("out0")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    answer = Graph(model, output="out0").run({})

    expected = ReferenceEvaluator(model).run(None, {})[0]
    assert answer.tolist() == expected.tolist()


def test_every_operator_has_a_case():
    compared = {(case.domain, case.name) for case in CASES} | {("", "Constant")}

    assert compared == set(table())


@pytest.mark.parametrize("wanted", sorted(table()), ids=lambda wanted: wanted[1])
def test_table_says_truly_whether_a_gradient_comes_through(wanted):
    """Of the sum of squares of the output, in any of the operator's cases with a tensor of fractions at its head."""
    cases = [case for case in CASES if (case.domain, case.name) == wanted and case.opsets]
    gradients = [
        gradient_of(case, f"out{place}")
        for case in cases
        if np.asarray(case.inputs[0]).dtype == np.float32
        for place in range(case.outputs)
    ]
    if wanted[1] == "Where":  # its first input is the condition
        values = torch.from_numpy(MATRIX).requires_grad_()
        torch.where(values > 0, values, -values).sum().backward()
        gradients = [values.grad]

    passes = any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients)

    assert passes == table()[wanted].gradient


def gradient_of(case: Case, output: str):
    values = torch.from_numpy(np.array(case.inputs[0])).requires_grad_()
    answer = Graph(single_node(case, case.opsets[-1]), output=output).run({"in0": values})
    if not isinstance(answer, torch.Tensor) or not answer.requires_grad:
        return None
    return torch.autograd.grad((answer.double() ** 2).nan_to_num().sum(), values, allow_unused=True)[0]


def test_opsets_begin_at_13_and_end_at_one_that_onnx_has():
    assert OLDEST_OPSET == 13
    assert defs.onnx_opset_version() >= NEWEST_OPSET


def test_nothing_is_both_computed_and_refused():
    assert not {name for _, name in table()} & set(REFUSED)
