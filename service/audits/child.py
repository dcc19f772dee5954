"""The child process of an audit: `python -m evenhand.service.audits.child REQUEST.json REPORT.json`."""

import sys
from pathlib import Path

from evenhand.service.audits.documents import AuditRequest
from evenhand.service.jobs.child import Voice, speak
from evenhand.service.wording import Fields, spoken


def audit(request_path: Path, report_path: Path, voice: Voice) -> None:
    """Run the audit that the request file asks for and write its report, whole or not at all."""
    from evenhand.service.audits.run import run_audit

    request = AuditRequest.model_validate_json(request_path.read_bytes())
    with spoken(Fields("audit")):
        report = run_audit(request, voice.progress)
    unfinished = report_path.with_suffix(".part")
    unfinished.write_text(report.to_json())
    unfinished.replace(report_path)


def main(arguments: list[str]) -> int:
    request_path, report_path = map(Path, arguments)
    return speak(lambda voice: audit(request_path, report_path, voice))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
