"""The report as HTML: the same templates for the page that opens from disk and for the dashboard."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from evenhand.auditors.gate import EXIT_MEANING
from evenhand.auditors.report import Report
from evenhand.service.render import (
    alternatives,
    bounds,
    charts,
    checks,
    groups,
    numbers,
    perception,
    practice,
    proxies,
    proxy_places,
    recomputing,
    recourse,
    repeats,
    robustness,
    scores,
    sentences,
    subgroups,
    words,
)

SERVICE = Path(__file__).parent.parent
TEMPLATES = SERVICE / "templates"
STYLESHEET = SERVICE / "static" / "style.css"

FILTERS = {
    "number": numbers.fixed,
    "short": numbers.short,
    "brief": numbers.brief,
    "rows": numbers.rows,
    "level": numbers.level,
    "cell": numbers.cell,
    "as_json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    "p_value": numbers.p_value,
    "metric": words.metric,
    "group": words.group,
    "group_value": words.value,
    "role": words.role,
    "first_upper": words.first_upper,
    "tone": lambda verdict: words.TONES.get(verdict, "quiet"),
    "verdict": lambda verdict: words.VERDICTS.get(verdict, verdict),
}

GLOBALS = {"numbers": numbers, "words": words, "exit_meaning": EXIT_MEANING}


def view(report: Report) -> dict[str, Any]:
    """What the report templates read: the document, and the arrangements of its parts."""
    return {
        "report": report,
        "said": sentences,
        "checks": checks.arrange(report),
        "tables": groups.tables(report),
        "groups": groups,
        "alternatives": alternatives,
        "places": proxy_places,
        "proxies": proxies,
        "robust": robustness,
        "perceived": perception,
        "recourse": recourse,
        "recipe": recomputing.recipe(report),
        "bounds": bounds,
        "repeats": repeats,
        "subgroups": subgroups,
        "scores": scores,
        "practice": practice,
        "practised": practice.arranged(report),
        "charts": charts,
    }


def equip(environment: jinja2.Environment) -> None:
    """Gives an environment (the dashboard's too) the filters that the report templates use."""
    environment.filters.update(FILTERS)
    environment.globals.update(GLOBALS)
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.finalize = _shown


def _shown(value: Any) -> Any:
    """What an expression of a template becomes: text from the data cannot steer, or turn the direction of reading."""
    return words.on_lines(value) if type(value) is str else value


def standalone(report: Report) -> str:
    """One self-contained page."""
    template = _environment().get_template("report/standalone.html")
    page = template.render(**view(report), stylesheet=stylesheet(), policy_for_content=content_security_policy())
    # the style has a hash that a single blank would change
    before, style, after = page.partition(stylesheet())
    return _lean(before) + style + _lean(after)


@cache
def stylesheet() -> str:
    """The stylesheet without remarks and blanks that mean nothing; it holds no text in which one would."""
    style = re.sub(r"/\*.*?\*/", "", STYLESHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r" ?([{};,]) ?|: ", lambda found: found[1] or ":", re.sub(r"\s+", " ", style)).strip()


def content_security_policy() -> str:
    """What the self-contained page may do: show its own style (known by its hash) and its own pictures."""
    digest = base64.b64encode(hashlib.sha256(stylesheet().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"


def _lean(html: str) -> str:
    """Without the templates' indentation and empty lines; text and `pre` stay as they are: in both a `<` is `&lt;`."""
    return re.sub(r"\n\s*(?=[<\n])", "\n", html)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    equip(environment)
    return environment
