"""What a person sees where there is nothing to see."""

import urllib.error
import urllib.request

import pytest

from tests.service.running import Client


@pytest.mark.parametrize("path", ["/nowhere", "/reports/none", "/audits/none"])
def test_a_page_that_is_not_there_answers_with_a_page(client: Client, path: str) -> None:
    asked = urllib.request.Request(client.address + path, headers={"Accept": "text/html"})

    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            status, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read().decode()

    assert "<!doctype html>" in body.lower()
    assert status == 404 or "sign in" in body.lower()  # those who are not signed in are asked to
