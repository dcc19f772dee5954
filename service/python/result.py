"""What `evenhand.audit` answers with: the report, and its numbers in fairlearn's words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.auditors.counts import Attribute, CountTable
from evenhand.auditors.metrics import COUNT_METRICS, Metric, favourable_rate
from evenhand.auditors.report import Finding, Report
from evenhand.auditors.verdict import Verdict
from evenhand.service.audits.errors import BadArgument
from evenhand.service.audits.subject import AuditSubject
from evenhand.service.python.frame import Method, MetricFrame
from evenhand.service.python.tally import Tally


@dataclass(frozen=True)
class Decided:
    """What was audited, as far as a MetricFrame of it needs.

    Attributes:
        sensitive, controls: the columns as codes.
        counts: counts of any of them, by label and prediction.
        has_labels, favourable_is_positive: which metrics there are, and what the favourable rate is the rate of.
    """

    sensitive: tuple[Attribute, ...]
    controls: tuple[Attribute, ...]
    counts: Callable[[Sequence[Attribute]], CountTable]
    has_labels: bool
    favourable_is_positive: bool

    @classmethod
    def of(cls, subject: AuditSubject) -> "Decided":
        stratum = subject.columns.stratum
        return cls(
            sensitive=tuple(Attribute(name, codes, values) for name, (codes, values) in subject.attributes.items()),
            controls=() if subject.stratum is None or stratum is None else (Attribute(stratum, *subject.stratum),),
            counts=subject.counts,
            has_labels=subject.outcomes.label is not None,
            favourable_is_positive=subject.outcomes.favourable_is_positive,
        )

    @property
    def metrics(self) -> list[Metric]:
        favourable = favourable_rate(favourable_is_positive=self.favourable_is_positive)
        return [favourable, *(m for m in COUNT_METRICS.values() if self.has_labels or not m.needs_labels)]

    def tally(self, names: Sequence[str]) -> Tally:
        sensitive = [attribute for attribute in self.sensitive if attribute.name in names]
        controls = [attribute for attribute in self.controls if attribute.name not in names]
        attributes = [*controls, *sensitive]
        keys = {a.name: tuple(np.nan if value is None else value for value in a.values) for a in attributes}
        return Tally(tuple(a.name for a in controls), tuple(a.name for a in sensitive), keys, self.counts(attributes))


@dataclass(frozen=True)
class AuditResult:
    """An audit's answer. In a notebook it shows itself.

    Attributes:
        report: the whole document, as every output renders it.
    """

    report: Report
    decided: Decided = field(repr=False)

    @property
    def verdict(self) -> Verdict:
        """What the gated checks together have shown."""
        return self.report.verdict

    @property
    def exit_code(self) -> int:
        """What the command line would exit with: 0, 1 or 3."""
        return self.report.gate.exit_code

    @property
    def findings(self) -> list[Finding]:
        """Every check and the pairs of groups behind it."""
        return list(self.report.findings)

    def metric_frame(self, *attributes: str) -> MetricFrame:
        """The metrics of the groups of these sensitive columns together; of all of them where none is named.

        Raises:
            BadArgument: one is no sensitive column of this audit.
        """
        known = tuple(attribute.name for attribute in self.decided.sensitive)
        for name in attributes:
            if name not in known:
                raise BadArgument("attributes", f"'{name}' was not audited", f"Pass one of {', '.join(known)}.")
        return MetricFrame.of_tally(self.decided.tally(attributes or known), self.decided.metrics)

    @cached_property
    def _frame(self) -> MetricFrame:
        return self.metric_frame()

    @property
    def by_group(self) -> Any:
        """Every metric of every group of all sensitive columns together, a pandas DataFrame; 0/0 is NaN."""
        return self._frame.by_group

    @property
    def overall(self) -> Any:
        """Every metric of all rows; of each level of the control features where there are any."""
        return self._frame.overall

    def difference(self, method: Method = "between_groups") -> Any:
        """The largest difference of each metric; `method` is "between_groups" or "to_overall"."""
        return self._frame.difference(method)

    def ratio(self, method: Method = "between_groups") -> Any:
        """The smallest ratio of each metric; `method` is "between_groups" or "to_overall"."""
        return self._frame.ratio(method)

    @property
    def intervals(self) -> Any:
        """Low and high of each number in by_group at 95 %."""
        return self._frame.intervals

    def difference_intervals(self, method: Method = "between_groups", *, level: float = 0.95) -> Any:
        """Each largest difference with its interval and the groups it lies between; see MetricFrame."""
        return self._frame.difference_intervals(method, level=level)

    def ratio_intervals(self, method: Method = "between_groups", *, level: float = 0.95) -> Any:
        """Each smallest ratio with its interval and the groups it lies between; see MetricFrame."""
        return self._frame.ratio_intervals(method, level=level)

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON; written to `path` where one is given."""
        return self._written(self.report.to_json() + "\n", path)

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one page that opens from disk; written to `path` where one is given."""
        from evenhand.service import render

        return self._written(render.html(self.report), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The report as a summary for a pull request; written to `path` where one is given."""
        from evenhand.service import render

        return self._written(render.markdown(self.report), path)

    def _written(self, text: str, path: str | Path | None) -> str:
        if path is not None:
            from evenhand.service.cli.outputs import check_writable, write_outputs

            check_writable([Path(path)])
            write_outputs(self.report, {Path(path): lambda report: text})
        return text

    def __repr__(self) -> str:
        data = self.report.subject.data
        gated = sum(finding.gate != "off" for finding in self.report.findings)
        return (
            f"<AuditResult: {self.verdict.value}, exit code {self.exit_code}; {data.rows:,} rows, "
            f"{gated} gated {'check' if gated == 1 else 'checks'}>"
        )

    def _repr_html_(self) -> str:
        from evenhand.service.python.notebook import html

        return html(self.report)
