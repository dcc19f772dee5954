"""Says in the words of REST what errors say in words of the command line: `policy.data.positive` for --positive.

The rooms below the service speak to who types a command. A job was asked for by a document, over REST or by the form of
the dashboard, and whoever reads its error changes that document.
"""

import re
from typing import Any

AUDIT = {
    **dict.fromkeys(("model", "only", "seed", "device", "thorough"), "{}"),
    **dict.fromkeys(
        (
            *("label", "prediction", "score", "threshold", "positive", "favourable", "sensitive", "features"),
            *("categorical", "weight", "stratum", "unit", "pair", "picture_size"),
        ),
        "policy.data.{}",
    ),
}
"""Where the body of POST /audits has what an option of `evenhand audit` says."""

TRAINING = dict.fromkeys(
    (
        *("label", "features", "categorical", "sensitive", "unit", "class_weight", "group_weight"),
        *("patience", "epochs", "deterministic", "picture_size", "device", "seed"),
    ),
    "train.{}",
)
"""Where the body of POST /models has what an option of `evenhand train` says."""

_OPTION = re.compile(r"(?<![\w`-])--([a-z]+(?:-[a-z]+)*)(?: (?:VALUE|COLUMN|CLASS|COL,COL|COL)\b)?(?![\w-])")
_SECTION = re.compile(r"under \[([a-z_.]+)\](?: in evenhand\.toml| in the policy)?")
_SAID_ANEW = (
    # the same place, named a second time
    (re.compile(r",? or (?:set \w+|change it) under \[data\] in evenhand\.toml"), ""),
    (re.compile(r"Pass that name as the option(?: \(say --\w+ [^)]*\))?"), "Name that one instead"),
    (re.compile(r"--model PATH \(`evenhand train` makes one\)"), "--model (POST /api/v1/models makes one)"),
    (re.compile(r"--sensitive COLUMN, once for each"), "--sensitive, a list of columns"),
    (re.compile(r"--(score|prediction) (?!COLUMN)(\S+) --threshold T"), r"--\1 '\2' with --threshold T"),
    (re.compile(r"--score COLUMN --threshold T"), "--score with --threshold T"),
    (re.compile(r"in place of --prediction \S+,"), "in place of --prediction,"),
    (re.compile(r"Pass one of these names as the option"), "Name one of these"),
    (re.compile(r"`--only ([\w-]+)` needs"), r"--only with '\1' needs"),
    (re.compile(r"Leave `--only ([\w-]+)` out"), r"Leave '\1' out of --only"),
    (re.compile(r"`--([a-z-]+)(?: [\w-]+)?`"), r"--\1"),
)


def in_words_of_rest(text: str, kind: str) -> str:
    """What an error says, with fields of the document in place of options and of sections of the policy file.

    Args:
        text: of one error; what names no option comes back as it is.
        kind: of the job: 'audit' or 'training'.
    """
    fields = TRAINING if kind == "training" else AUDIT
    for found, instead in _SAID_ANEW:
        text = found.sub(instead, text)
    text = _SECTION.sub("in `train`" if kind == "training" else r"in `policy.\1`", text)
    return _OPTION.sub(lambda option: _field(option, fields), text)


def problem_in_words_of_rest(problem: dict[str, Any], kind: str) -> dict[str, Any]:
    """A problem (RFC 9457) whose `detail`, and that of each of its `errors`, is in words of REST."""
    said = {**problem, "detail": in_words_of_rest(str(problem.get("detail", "")), kind)}
    if errors := problem.get("errors"):
        said["errors"] = [{**each, "detail": in_words_of_rest(str(each.get("detail", "")), kind)} for each in errors]
    return said


def _field(option: re.Match[str], fields: dict[str, str]) -> str:
    name = option[1].replace("-", "_")
    return f"`{fields[name].format(name)}`" if name in fields else option[0]
