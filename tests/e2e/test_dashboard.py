"""The dashboard as a person uses it: sign in, ask for an audit, watch it, read the report."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import RunningService, Watched

pytestmark = pytest.mark.browser

AUDIT_SECONDS = 120


def audit_compas(
    watched: Watched, service: RunningService, *, title: str = "", threshold: str = "5", without: str = ""
) -> None:
    watched.page.goto(f"{service.address}/audits/new?dataset=compas")
    watched.page.click("summary")
    watched.page.fill("#title", title)
    watched.page.fill("#threshold", threshold)
    if without:
        watched.page.uncheck(f"input[name=sensitive][value={without}]")
    watched.page.click("text=Start the audit")
    watched.page.wait_for_url(re.compile("/reports/"), timeout=AUDIT_SECONDS * 1000)


def test_audit_of_a_built_in_set_from_sign_in_to_report(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    page.click("text=New audit")
    page.click("text=COMPAS recidivism scores")
    signed_in.shot("dashboard-form")
    page.click("text=Start the audit")
    page.wait_for_selector("#progress")
    signed_in.shot("dashboard-progress")
    page.wait_for_url(re.compile("/reports/"), timeout=AUDIT_SECONDS * 1000)

    verdict = page.inner_text(".verdict")
    assert "DISPARITY PROVEN" in verdict.upper()
    assert "African-American" in verdict
    assert "exit code 1" in page.inner_text("main")
    for width in (1200, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert not signed_in.overflows()
        signed_in.shot(f"dashboard-report-{width}")
    page.goto(service.address)
    assert page.locator("tbody .pill.bad").count() >= 1
    assert signed_in.complaints == []


def test_every_page_opens_without_complaint_and_fits_a_telephone(signed_in: Watched, service: RunningService) -> None:
    for path in (
        "/",
        "/reports",
        "/models",
        "/datasets",
        "/datasets/adult",
        "/datasets/emoji-people",
        "/audits/new",
        "/audits/new?dataset=adult",
        "/models/train?dataset=adult",
        "/models/train?dataset=emoji-people",
        "/policies",
        "/policies?dataset=compas",
    ):
        signed_in.page.goto(service.address + path)
        signed_in.page.set_viewport_size({"width": 400, "height": 900})
        assert not signed_in.overflows(), path
        signed_in.page.set_viewport_size({"width": 1200, "height": 900})
        signed_in.shot("dashboard" + re.sub(r"\W", "-", path))

    assert signed_in.complaints == []


def test_two_reports_are_compared(signed_in: Watched, service: RunningService) -> None:
    audit_compas(signed_in, service, title="first")
    audit_compas(signed_in, service, title="second", threshold="9")
    signed_in.page.click("button:has-text('Compare')")

    assert "What changed" in signed_in.page.inner_text("h1")
    assert "that both reports have, with another verdict or estimate" in signed_in.page.inner_text("caption >> nth=1")
    signed_in.shot("dashboard-changes")
    assert signed_in.complaints == []


def test_findings_of_one_report_only_that_count_for_the_gate_are_told_first(
    signed_in: Watched, service: RunningService
) -> None:
    audit_compas(signed_in, service, title="sex and race")
    audit_compas(signed_in, service, title="sex alone", without="race")
    signed_in.page.click("button:has-text('Compare')")

    told = signed_in.page.locator("main > ul > li").all_inner_texts()
    assert len(told) == 4
    assert all("race" in text for text in told)
    assert signed_in.page.locator("details ul > li").count() > 100
    assert signed_in.complaints == []


def test_sign_in_fits_a_telephone(watched: Watched, service: RunningService) -> None:
    watched.page.goto(service.address + "/sign-in")
    watched.page.set_viewport_size({"width": 400, "height": 900})

    assert not watched.overflows()


@pytest.mark.parametrize("path", ["/", "/reports"])
def test_lists_are_searched(signed_in: Watched, service: RunningService, path: str) -> None:
    title = "Autumn, " + {"/": "home", "/reports": "filed"}[path]
    audit_compas(signed_in, service, title=title)
    page = signed_in.page
    page.goto(service.address + path)
    page.fill("#q", title.upper())
    page.select_option("#outcome", "fail")
    page.click("button:has-text('Search')")

    assert page.locator("tbody th").all_inner_texts() == [title]
    assert page.input_value("#q") == title.upper()
    page.select_option("#outcome", "pass")
    page.click("button:has-text('Search')")
    assert "Nothing here has all that was asked for" in page.inner_text("main")
    page.click(".notice >> text=Show all")
    assert page.locator("tbody th").count() >= 1
    assert signed_in.complaints == []


def test_a_search_for_nonsense_is_told_beside_its_field(signed_in: Watched, service: RunningService) -> None:
    audit_compas(signed_in, service)
    page = signed_in.page
    page.goto(f"{service.address}/reports?from=2026-05-02&to=2026-05-01")

    assert "before the first day" in page.inner_text("#to-error")
    assert page.locator("tbody th").count() == 0


def test_report_is_taken_along_as_a_file(signed_in: Watched, service: RunningService, tmp_path: Path) -> None:
    audit_compas(signed_in, service)
    with signed_in.page.expect_download() as download:
        signed_in.page.click("text=HTML, one file")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    signed_in.page.goto(path.as_uri())

    assert "African-American" in signed_in.page.inner_text(".verdict")
    assert signed_in.complaints == []


def test_report_is_taken_along_as_pdf(signed_in: Watched, service: RunningService, tmp_path: Path) -> None:
    audit_compas(signed_in, service)
    with signed_in.page.expect_download() as download:
        signed_in.page.click(".actions a:has-text('PDF')")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    assert path.suffix == ".pdf"
    assert path.read_bytes().startswith(b"%PDF-")


def test_upload_of_a_table_and_its_audit(signed_in: Watched, service: RunningService, tmp_path: Path) -> None:
    rows = [
        f"{sex},{label},{prediction}"
        for sex in ("Female", "Male")
        for label in (0, 1)
        for prediction in (0, 1)
        for _ in range(40)
    ]
    path = tmp_path / "applicants.csv"
    path.write_text("\n".join(["sex,hired,predicted", *rows]) + "\n")
    page = signed_in.page
    page.goto(f"{service.address}/datasets")
    page.set_input_files("#file", path)
    page.click("main button:has-text('Upload')")
    assert "applicants.csv" in page.inner_text("h1")
    page.click("text=Audit it")
    page.select_option("#prediction", "predicted")
    page.select_option("#label", "hired")
    page.check("input[name=sensitive][value=sex]")
    page.click("text=Start the audit")
    page.wait_for_url(re.compile("/reports/"), timeout=AUDIT_SECONDS * 1000)

    assert "320 rows" in page.inner_text("main")


def test_what_is_missing_is_said_beside_its_field(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    page.goto(f"{service.address}/audits/new?dataset=adult")
    for column in ("sex", "race"):
        page.uncheck(f"input[name=sensitive][value={column}]")
    page.click("text=Start the audit")

    assert "Choose a model" in page.inner_text("#prediction-error")
    assert "Choose at least one column" in page.inner_text("#sensitive-error")
    assert page.get_attribute("#prediction", "aria-invalid") == "true"


def test_training_without_a_label_is_refused_and_nothing_typed_is_lost(
    signed_in: Watched, service: RunningService
) -> None:
    page = signed_in.page
    page.goto(f"{service.address}/models")
    page.select_option("#dataset", "german")
    page.click("text=Choose columns")
    page.fill("#name", "my model")
    page.select_option("#label", "")
    page.click("main button:has-text('Train')")

    assert "Choose the column that is learned" in page.inner_text("#label-error")
    assert page.input_value("#name") == "my model"


def test_training_with_what_is_folded_under_more(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    page.goto(f"{service.address}/models/train?dataset=german")
    page.select_option("#kind", "mlp")
    page.click("summary:has-text('More')")
    page.fill("#epochs", "2")
    page.select_option("#group_weight", "balanced")
    page.select_option("#format", "skops")
    page.click("main button:has-text('Train')")
    refused = page.inner_text("#format-error")
    page.select_option("#format", "onnx")
    signed_in.shot("dashboard-train-more")
    page.click("main button:has-text('Train')")
    page.wait_for_selector("text=Training record", timeout=60_000)

    assert "cannot be saved as skops. Choose safetensors or onnx" in refused
    said = json.loads(page.text_content("details:has-text('Training record') code") or "")
    assert said["settings"]["group_weight"] == "balanced"
    assert len(said["epochs"]) == 2
    assert "mlp.onnx" in page.inner_text("main")


def test_model_behind_http_is_described_by_a_file(signed_in: Watched, service: RunningService, tmp_path: Path) -> None:
    path = tmp_path / "loans.toml"
    path.write_text('url = "https://models.example.com/v1/loans"\nfeatures = ["age"]\nclasses = ["no", "yes"]\n')
    page = signed_in.page
    page.goto(f"{service.address}/models")
    page.set_input_files("#file", path)
    page.click("main button:has-text('Upload')")

    assert "https://models.example.com/v1/loans, asked over HTTP" in page.inner_text("main")
    assert signed_in.complaints == []


def test_column_that_is_compared_with_itself_is_refused_beside_its_field(
    signed_in: Watched, service: RunningService
) -> None:
    page = signed_in.page
    page.goto(f"{service.address}/audits/new?dataset=compas")
    page.select_option("#score", "")
    page.select_option("#prediction", "two_year_recid")
    page.fill("#threshold", "")
    page.fill("#favourable", "no")
    page.click("text=Start the audit")

    assert "compared with itself" in page.inner_text("#prediction-error")
    assert page.input_value("#favourable") == "no"


def test_profile_of_a_data_set_is_by_the_columns_that_are_chosen(signed_in: Watched, service: RunningService) -> None:
    page = signed_in.page
    page.goto(f"{service.address}/datasets/compas")
    page.click("text=Choose columns")
    page.uncheck("input[name=by][value=sex]")
    page.uncheck("input[name=by][value=race]")
    page.check("input[name=by][value=age_cat]")
    page.click("main button:has-text('Show')")

    assert "Greater than 45" in page.inner_text("main")
    assert page.locator("th:has-text('two_year_recid = 1')").count() == 1
    page.goto(f"{service.address}/datasets/emoji-people")
    assert page.locator(".pictures img").count() == 15
    assert signed_in.complaints == []


def test_file_that_can_run_code_is_refused_beside_the_field(
    signed_in: Watched, service: RunningService, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.")
    page = signed_in.page
    page.goto(f"{service.address}/models")
    page.set_input_files("#file", path)
    page.click("main button:has-text('Upload')")

    assert "pickle" in page.inner_text("#file-error").lower()


def test_wrong_token_is_refused(watched: Watched, service: RunningService) -> None:
    watched.page.goto(service.address)
    watched.page.fill("#token", "eh_wrong")
    watched.page.click("main button")

    assert "unknown, revoked or expired" in watched.page.inner_text("#token-error")


def test_signed_out_means_signed_out(signed_in: Watched, service: RunningService) -> None:
    signed_in.page.click("text=Sign out")
    signed_in.page.goto(f"{service.address}/reports")

    assert signed_in.page.url.startswith(f"{service.address}/sign-in")


def test_audit_can_be_followed_without_script(browser, signed_in: Watched, service: RunningService) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=signed_in.page.context.storage_state())
    page = context.new_page()
    page.goto(f"{service.address}/audits/new?dataset=compas")
    page.click("text=Start the audit")
    page.wait_for_selector("text=Open the report", timeout=AUDIT_SECONDS * 1000)
    page.click("text=Open the report")

    assert "African-American" in page.inner_text(".verdict")
    context.close()
