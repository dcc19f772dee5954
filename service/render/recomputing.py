"""How a report is made again: its policy as a file, and the command or the call from Python that reads the file."""

from dataclasses import dataclass
from pathlib import Path

from evenhand.auditors.errors import listed
from evenhand.auditors.policy import DataSection, ModelSection, Policy
from evenhand.auditors.report import Report
from evenhand.service.audits.columns import named_columns
from evenhand.service.audits.documents import FRAME
from evenhand.service.audits.endpoints import is_endpoint
from evenhand.service.audits.policy_file import POLICY_FILE
from evenhand.service.importers.toml import policy_text
from evenhand.service.render import words


@dataclass(frozen=True)
class Recipe:
    """What it takes to make a report again.

    Attributes:
        save: what to save, and where.
        policy: the text of evenhand.toml; it reads back as the policy that was applied.
        run: how to run the command.
        command: a line for a shell, or lines of Python where the rows came from memory.
    """

    save: str
    policy: str
    run: str
    command: str


def recipe(report: Report, *, ascii_only: bool = False) -> Recipe:
    """The policy and the command that give this report again.

    Args:
        ascii_only: signs outside ASCII in the policy are written as escapes, for fonts that have not all signs.
    """
    applied = Policy.model_validate(report.subject.policy)
    in_memory = report.subject.data.name == FRAME
    policy = applied.model_copy(
        update={
            "data": _data(applied.data, report),
            "model": _model(applied.model, report),
            "only": [name for name, audit in report.audits if audit is not None],
            "seed": report.seed,
        }
    )
    return Recipe(
        save=_save(policy),
        policy=policy_text(policy, ascii_only=ascii_only),
        run=_run(policy, in_memory=in_memory),
        command=_call(report) if in_memory else _command(report),
    )


def _data(data: DataSection, report: Report) -> DataSection:
    name = report.subject.data.name
    source = None if name == FRAME else f"URL of {name}" if _in_a_warehouse(name) else name
    train = data.train_source
    beside = train if train is None or "://" in train else Path(train).name
    return data.model_copy(update={"source": source, "train_source": beside})


def _model(model: ModelSection | None, report: Report) -> ModelSection | None:
    if report.subject.model is None:
        return None
    named = report.subject.model.name
    return (model or ModelSection()).model_copy(update={"url" if is_endpoint(named) else "path": named})


def _in_a_warehouse(name: str) -> bool:
    """Whether it is 'database/table': files and built-in sets go by a name without a folder."""
    return "/" in name


def _save(policy: Policy) -> str:
    from evenhand.datasets import builtin

    source, model = policy.data.source, policy.model
    files = [
        source if source and source not in builtin.names() and not _in_a_warehouse(source) else None,
        policy.data.train_source,
        model.path if model else None,
    ]
    beside = " and ".join(words.legible(each) for each in files if each)
    return f"Save this policy as {POLICY_FILE}{' beside ' + beside if beside else ''}:"


def _run(policy: Policy, *, in_memory: bool) -> str:
    said = ["Then run"]
    if policy.data.source and _in_a_warehouse(policy.data.source):
        said.insert(0, "Put the address of the table in place of `source`.")
    if policy.model and policy.model.url:
        said.insert(0, "Headers that the endpoint asks for go under [model]; no report holds them.")
    if in_memory:
        columns = listed(dict.fromkeys(words.legible(name) for _, name in named_columns(policy.data)))
        said[-1] += f" this from Python, with the data frame in place of the dots, of which the policy reads {columns}"
    return " ".join(said) + ":"


def _command(report: Report) -> str:
    allowed = " --allow-inconclusive" if report.gate.allow_inconclusive else ""
    return f"evenhand audit {POLICY_FILE}{allowed}"


def _call(report: Report) -> str:
    allowed = ", allow_inconclusive=True" if report.gate.allow_inconclusive else ""
    return "\n".join(
        [
            "import evenhand",
            "data_frame = ...",
            f'result = evenhand.audit(data=data_frame, policy="{POLICY_FILE}"{allowed})',
            "raise SystemExit(result.exit_code)",
        ]
    )
