"""The reference pages that follow from the code: `python -m evenhand.service.reference --write` refreshes docs/reference.

The command line, the metrics, the policy, the errors, ONNX operators, the report and its schema. Pages written by hand are
elsewhere in docs/; the OpenAPI document has a module of its own.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

FOLDER = Path("docs/reference")
COMMAND = "python -m evenhand.service.reference --write"

NOTE = f"<!-- Generated from the code. After a change: {COMMAND} -->"


def pages() -> dict[str, str]:
    """Name of each generated file in docs/reference to its text."""
    made: dict[str, Callable[[], str]] = {
        "command-line.md": command_line,
        "metrics.md": metrics,
        "policy.md": policy,
        "errors.md": errors,
        "onnx-operators.md": onnx_operators,
        "report.md": report,
        "report.schema.json": report_schema,
    }
    return {name: make() for name, make in made.items()}


# --- the command line ---


def command_line() -> str:
    """Every command with its arguments and options, as click knows them."""
    from evenhand.auditors.gate import EXIT_MEANING
    from evenhand.service.cli import COMMANDS, cli

    parts = [
        _opening("Command line", "What each command takes. The same texts come with `--help`."),
        "## Exit codes",
        _table(("code", "meaning"), ((f"`{code}`", _sentence(meaning)) for code, meaning in EXIT_MEANING.items())),
        "`verify` and `compare` exit with 1 where something does not hold, or a gated check got worse."
        " `train` and `verify` say of 2 and 4 what was not done in words of their own.",
    ]
    with click.Context(cli, info_name="evenhand") as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            if command is not None:
                parts += _command(command, name, context, depth=2)
    return _joined(parts)


def _command(command: click.Command, name: str, parent: click.Context, *, depth: int) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as context:
        yield f"{'#' * depth} evenhand {context.command_path.removeprefix('evenhand ')}"
        yield from _help(command.help or "")
        pieces = " ".join(command.collect_usage_pieces(context))
        yield f"```text\n{context.command_path} {pieces}\n```"
        options = [_option(option, context) for option in command.params if isinstance(option, click.Option)]
        if options:
            yield _table(("option", "value", "default", "meaning"), options)
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                if found is not None:
                    yield from _command(found, child, context, depth=depth + 1)


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a docstring; those that click leaves unwrapped are commands to copy."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            yield f"```text\n{inspect.cleandoc(paragraph.lstrip(chr(8)))}\n```"
        else:
            yield " ".join(paragraph.split())


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str, str]:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f"`{option.make_metavar(context)}`"
    facts = option.get_help_extra(context)
    default = f"`{facts['default']}`" if "default" in facts else ""
    notes = [option.help or "", f"Range: `{facts['range']}`." if "range" in facts else ""]
    return names, value, default, " ".join(note for note in notes if note)


# --- the metrics ---


def metrics() -> str:
    """The catalogue of metrics: of one group, comparisons with a name of their own, and of scores."""
    from evenhand.auditors.metrics import COMPOSITES, COUNT_METRICS, WHOLES, favourable_rate
    from evenhand.auditors.scores.catalogue import SCORE_METRICS

    of_one_group = [favourable_rate(favourable_is_positive=True), *COUNT_METRICS.values()]
    return _joined(
        [
            _opening(
                "Metrics",
                "What is counted of each group, and which comparisons have a name of their own. "
                "`evenhand metrics NAME` prints one of them.",
            ),
            "All rates are fractions in 0 to 1. `tp`, `fp`, `fn` and `tn` are counts about the positive class. "
            "A metric that is undefined is reported with its reason, never as a number.",
            "## Of one group",
            _table(
                ("metric", "meaning", "formula", "range", "better", "labels", "undefined when", "source"),
                (
                    (
                        f"`{metric.name}`",
                        metric.meaning,
                        _formula(metric),
                        f"{metric.low:g} to {metric.high:g}".replace("inf", "∞"),
                        metric.better,
                        "needed" if metric.needs_labels else "not needed",
                        metric.undefined_when,
                        metric.source,
                    )
                    for metric in of_one_group
                ),
            ),
            "The formula of `favourable_rate` is that of a positive class that is favourable. "
            "Where the positive class is not, it is `(tn + fn) / (tn + fp + fn + tp)`.",
            "## Comparisons with a name of their own",
            "Each is the largest gap over all pairs of groups. Where two metrics are compared, the greater gap decides, "
            "but for an average.",
            _table(
                ("metric", "meaning", "compares", "as", "source"),
                (
                    (
                        f"`{composite.name}`",
                        composite.meaning,
                        ", ".join(f"`{name}`" for name in composite.components),
                        composite.comparison.value,
                        composite.source,
                    )
                    for composite in COMPOSITES.values()
                ),
            ),
            "## Of an attribute as a whole",
            "Each is one number about all groups. Those that need strata compare people of the same stratum "
            "(`--stratum COL`), each group with all others.",
            _table(
                ("metric", "meaning", "as", "needs", "source"),
                (
                    (
                        f"`{whole.name}`",
                        whole.meaning,
                        whole.comparison.value,
                        "strata" if whole.needs_stratum else "labels",
                        whole.source,
                    )
                    for whole in WHOLES.values()
                ),
            ),
            "## Of scores",
            "Where rows have scores (`--score COL`, or a model's probability of the positive class). Calibration needs "
            "scores in 0 to 1. A check on a `value` holds every group's distance from the ideal: 1 for `roc_auc`, else 0. "
            "What no check compares is reported only.",
            _table(
                (
                    "metric",
                    "meaning",
                    "of",
                    "range",
                    "better",
                    "a check compares",
                    "labels",
                    "undefined when",
                    "source",
                ),
                (
                    (
                        f"`{score.name}`",
                        score.meaning,
                        "two groups" if score.of_pairs else "one group",
                        f"{score.low:g} to {score.high:g}".replace("inf", "∞"),
                        score.better,
                        ("difference" if score.of_pairs else "difference, value") if score.checked else "nothing",
                        "needed" if score.needs_labels else "not needed",
                        score.undefined_when,
                        score.source,
                    )
                    for score in SCORE_METRICS.values()
                ),
            ),
            "Any metric of one group can be compared as well: name it in a [`[[check]]`](policy.md#check), "
            'with `compare = "difference"` or `"ratio"`.',
        ]
    )


def _formula(metric: Any) -> str:
    if not metric.is_rate:
        return "see its meaning"
    cells = ("tn", "fp", "fn", "tp")
    top, bottom = (" + ".join(cells[i] for i in part) for part in (metric.numerator, metric.denominator))
    return f"`({top}) / ({bottom})`"


# --- the policy ---


def policy() -> str:
    """Every key of evenhand.toml: type, default, meaning."""
    from evenhand.service.policies.keys import SECTIONS, TOP

    parts = [
        _opening("Policy", "The keys of `evenhand.toml`, or of `[tool.evenhand]` in `pyproject.toml`."),
        "The same keys, as JSON, are the `policy` of `POST /api/v1/audits`; there `source`, `train_source` and `path` are "
        "refused. An unknown key is an error. Options of the command line come before the policy.",
    ]
    for name, model in SECTIONS.items():
        parts += [
            f"## {name}",
            *_docstring(model),
            _fields(model, leave_out=SECTIONS.keys() - {TOP}),
        ]
    return _joined(parts)


# --- the errors ---


def errors() -> str:
    """The one table from an error to its HTTP status, problem type and exit code."""
    from evenhand.service.errors import PROBLEM_TYPES, TABLE, slug, title

    rooms = {
        "evenhand.service.errors": "The service",
        "evenhand.service.audits.errors": "Requests for audits",
        "evenhand.auditors.errors": "Audits",
        "evenhand.classifiers.errors": "Models",
        "evenhand.datasets.errors": "Data",
    }
    parts = [
        _opening("Errors", "Every error by its problem type, with the HTTP status and the exit code it comes with."),
        "Over HTTP an error is a problem of RFC 9457, `application/problem+json`, with `type`, `title`, `status`, "
        "`detail` and `exit_code`, and with `errors` where it points at places in the request. "
        "The command line prints the same, with options or keys of the policy file where `detail` has fields of the request, and "
        "exits with the same code. `evenhand.audit` raises it, and names arguments.",
    ]
    for module, heading in rooms.items():
        rows = [
            (f"`{PROBLEM_TYPES}{slug(cls)}`", title(cls), str(kind.status), str(kind.exit_code), _meaning(cls))
            for cls, kind in TABLE.items()
            if cls.__module__ == module
        ]
        parts += [f"## {heading}", _table(("type", "title", "status", "exit code", "meaning"), rows)]
    return _joined(parts)


def _meaning(cls: type[BaseException]) -> str:
    return " ".join((cls.__dict__.get("__doc__") or "").split("\n\n")[0].split())


# --- the report ---


def report() -> str:
    """Every field of the report, part by part in the order in which they are met."""
    from evenhand.auditors.report import SCHEMA, Report

    parts = [
        _opening("Report", f"The fields of the report JSON, `{SCHEMA}`."),
        "What `evenhand audit --json` writes and `GET /api/v1/reports/ID` gives. "
        "[report.schema.json](report.schema.json) says the same to programs. "
        "A number that does not exist is `null`, with the reason beside it.",
    ]
    for model in _reachable(Report):
        parts += [f"## {model.__name__}", *_docstring(model), _fields(model)]
    return _joined(parts)


def report_schema() -> str:
    """The JSON schema of a report as it is written."""
    from evenhand.auditors.report import Report

    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(by_alias=True, mode="serialization"),
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _reachable(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and all that its fields lead to, breadth first."""
    found = [model]
    for one in found:
        for field in one.model_fields.values():
            found += [inner for inner in _models_in(field.annotation) if inner not in found]
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
    return list(dict.fromkeys(inner))


# --- shared by policy and report ---


def _fields(model: type[BaseModel], *, leave_out: Iterable[str] = ()) -> str:
    """A table of a model's fields out of its JSON schema, so that limits and defaults are those that hold."""
    schema = model.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`",
            _type(field, schema.get("$defs", {})),
            "required" if name in required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`",
            field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
        if name not in leave_out
    ]
    return _table(("key", "type", "default", "meaning"), rows)


def _type(field: dict[str, Any], parts: dict[str, Any]) -> str:
    """'number, ≥ 0 and ≤ 1', 'list of text', or a link to the part of that name."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return _type(parts[name], parts) if "enum" in parts[name] else f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(option, parts) for option in field["anyOf"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    kind = field.get("type")
    if kind == "array":
        return f"list of {_grouped(_type(field.get('items', {}), parts))}"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"map of text to {_grouped(_type(values if isinstance(values, dict) else {}, parts))}"
    if kind == "string" and field.get("format") == "date-time":
        return "time, ISO 8601"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return words.get(kind or "", kind or "anything") + _limits(field)


def _grouped(alternatives: str) -> str:
    return f"({alternatives})" if " or " in alternatives else alternatives


def _limits(field: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign} {field[key]:g}" for key, sign in signs.items() if key in field]
    return f", {' and '.join(said)}" if said else ""


def _docstring(model: type[BaseModel]) -> list[str]:
    """What a class says of itself; nothing where it says nothing, whatever its base says."""
    text = model.__dict__.get("__doc__") or ""
    return [" ".join(text.split())] if text else []


# --- Markdown ---


# --- the operators of ONNX ---


def onnx_operators() -> str:
    """The operators that the interpreter computes, by family, and those that it refuses on purpose."""
    from evenhand.classifiers.runtimes.interpreter.check import ALLOWED_DIFFERENCE, ROWS
    from evenhand.classifiers.runtimes.interpreter.operators import NEWEST_OPSET, OLDEST_OPSET, REFUSED, table

    families: dict[str, list[tuple[str, str, str]]] = {}
    for (domain, name), found in sorted(table().items()):
        whole = f"`{domain}.{name}`" if domain else f"`{name}`"
        gradient = "yes" if found.gradient else "none comes through"
        families.setdefault(found.family, []).append((whole, gradient, found.limits))
    return _joined(
        [
            _opening(
                "ONNX operators with gradients",
                "An ONNX model is scored by onnxruntime, whatever its operators are. Gradients come from evenhand's own "
                f"interpreter, which knows the {len(table())} operators below, in opsets {OLDEST_OPSET} to {NEWEST_OPSET}.",
            ),
            f"When a model of pictures is opened, both score {ROWS} made-up pictures. Where a probability differs by more "
            f"than {ALLOWED_DIFFERENCE:g}, or an operator is not known, there are no gradients: attacks go without, and "
            "the report and the page of the model say why. See [Safety](../explanation/safety.md).",
            *(
                part
                for family in sorted(families)
                for part in (
                    f"## {family.capitalize()}",
                    _table(("operator", "gradient", "limits"), families[family]),
                )
            ),
            "## Refused on purpose",
            _table(("operator", "why"), ((f"`{name}`", reason) for name, reason in sorted(REFUSED.items()))),
        ]
    )


def _opening(heading: str, sentence: str) -> str:
    return f"# {heading}\n\n{NOTE}\n\n{sentence}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def main(arguments: list[str]) -> int:
    for name, text in pages().items():
        if "--write" in arguments:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
