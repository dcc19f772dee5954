"""Every way a report can look. Each renders the one document and computes nothing; each loads its library only when asked."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.console

    from evenhand.auditors.report import Report

__all__ = ["github_annotations", "html", "junit_xml", "markdown", "pdf", "sarif", "terminal"]


def html(report: "Report") -> str:
    """One page that opens from disk: inline CSS and SVG, no script, nothing fetched; its own CSP allows nothing else."""
    from evenhand.service.render import page

    return page.standalone(report)


def pdf(report: "Report") -> bytes:
    """A tagged document (PDF/UA-1) to file and to print: the sections of the page in short."""
    from evenhand.service.render import pdf_file

    return pdf_file.pdf(report)


def markdown(report: "Report") -> str:
    """A summary for a pull request comment."""
    from evenhand.service.render import pull_request

    return pull_request.markdown(report)


def junit_xml(report: "Report") -> str:
    """One test case for each gated finding: failed where a disparity is proven, skipped where a strict check is open."""
    from evenhand.service.render import junit

    return junit.xml(report)


def sarif(report: "Report", *, policy_path: str | None = None) -> str:
    """SARIF 2.1.0 for code scanning; results point at the check's line in the policy file where one is given."""
    from evenhand.service.render import code_scanning

    return code_scanning.sarif(report, policy_path=policy_path)


def github_annotations(report: "Report", *, policy_path: str | None = None) -> str:
    """Workflow commands (`::error ...`), one line for each gated finding that is not proven within."""
    from evenhand.service.render import code_scanning

    return code_scanning.github_annotations(report, policy_path=policy_path)


def terminal(report: "Report", *, console: "rich.console.Console", quiet: bool = False) -> None:
    """Prints tables for people; the last line says in words what the exit code means. `quiet` prints that line alone."""
    from evenhand.service.render import screen

    screen.show(report, console=console, quiet=quiet)
