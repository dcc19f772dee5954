"""Reports as files: which formats there are, and which one a request wants. How each looks belongs to `render`."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.datastructures import MIMEAccept

from evenhand.auditors.report import Report
from evenhand.service.errors import FormatNotOffered


@dataclass(frozen=True)
class Format:
    """One way a report is given out."""

    suffix: str
    content_type: str
    make: Callable[[Report], str | bytes]

    @property
    def full_type(self) -> str:
        """The content type, with the encoding of what is text."""
        return self.content_type if self.suffix == "pdf" else f"{self.content_type}; charset=utf-8"


def _html(report: Report) -> str:
    from evenhand.service import render

    return render.html(report)


def _junit_xml(report: Report) -> str:
    from evenhand.service import render

    return render.junit_xml(report)


def _sarif(report: Report) -> str:
    from evenhand.service import render

    return render.sarif(report)


def _markdown(report: Report) -> str:
    from evenhand.service import render

    return render.markdown(report)


def _pdf(report: Report) -> bytes:
    from evenhand.service import render

    return render.pdf(report)


FORMATS: dict[str, Format] = {
    made.suffix: made
    for made in (
        Format("json", "application/json", Report.to_json),
        Format("html", "text/html", _html),
        Format("junit.xml", "application/xml", _junit_xml),
        Format("sarif", "application/sarif+json", _sarif),
        Format("md", "text/markdown", _markdown),
        Format("pdf", "application/pdf", _pdf),
    )
}
"""By suffix; the first is given where the request does not say."""


def made(wanted: Format, kept: bytes) -> tuple[Report, str | bytes]:
    """A report as it is kept, in the format that is wanted; as JSON it is given out to the byte, so that its digest stays."""
    report = Report.model_validate_json(kept)
    return report, kept if wanted is FORMATS["json"] else wanted.make(report)


_ALSO = {"text/xml": "junit.xml", "application/junit+xml": "junit.xml"}


def by_suffix(suffix: str) -> Format:
    """Raises FormatNotOffered."""
    if suffix not in FORMATS:
        raise FormatNotOffered(f".{suffix}", (f".{name}" for name in FORMATS))
    return FORMATS[suffix]


def by_accept(accept: MIMEAccept) -> Format:
    """The format that the Accept header likes best. Raises FormatNotOffered where it likes none."""
    if not accept:
        return FORMATS["json"]
    suffix_by_type = {made.content_type: suffix for suffix, made in FORMATS.items()} | _ALSO
    best = accept.best_match(suffix_by_type)
    if best is None:
        raise FormatNotOffered(str(accept), suffix_by_type)
    return FORMATS[suffix_by_type[best]]
