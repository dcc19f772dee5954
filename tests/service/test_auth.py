"""Who may do what, over HTTP."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from evenhand.service.auth import store as tokens
from evenhand.service.auth.tables import Role
from tests.service.running import Client, Service


def client_with(running: Service, role: Role, *, expires_at: datetime | None = None) -> Client:
    with running.database.writing() as session:
        made = tokens.create_token(session, name=f"a {role}", role=role, expires_at=expires_at)
    return Client(running.client.address, made.text)


@pytest.mark.parametrize("path", ["datasets", "models", "audits", "reports"])
def test_without_a_token_nothing_is_listed(anonymous: Client, path: str) -> None:
    answer = anonymous.get(f"/api/v1/{path}")

    assert (answer.status, answer.type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_viewer_reads_and_submits_nothing(running: Service) -> None:
    viewer = client_with(running, Role.VIEWER)

    assert viewer.get("/api/v1/audits").status == 200
    assert viewer.send("POST", "/api/v1/audits", {"dataset": "compas"}).status == 403
    assert viewer.upload("datasets", "a.csv", b"a,b\n1,2\n").status == 403


def test_an_auditor_submits(running: Service) -> None:
    auditor = client_with(running, Role.AUDITOR)

    assert auditor.upload("datasets", "a.csv", b"a,b\n1,2\n").status == 201


def test_an_expired_token_is_refused(running: Service) -> None:
    expired = client_with(running, Role.ADMIN, expires_at=datetime.now(UTC) - timedelta(minutes=1))

    assert expired.get("/api/v1/audits").status == 401


def test_a_revoked_token_is_refused_from_then_on(running: Service) -> None:
    client = client_with(running, Role.VIEWER)
    before = client.get("/api/v1/audits").status

    with running.database.writing() as session:
        token = tokens.find_principal(session, client.token or "")
        assert token is not None
        tokens.revoke_token(session, token.token_id)

    assert (before, client.get("/api/v1/audits").status) == (200, 401)


def test_a_bearer_token_opens_no_page(client: Client) -> None:
    answer = client.get("/", Accept="text/html")

    # urllib follows to the sign-in form
    assert b'name="token"' in answer.content


def test_a_form_without_its_secret_is_refused(anonymous: Client) -> None:
    form = urlencode({"token": "eh_x"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert anonymous.send("POST", "/sign-in", form, headers=headers).status == 400


def test_a_session_cookie_opens_pages_and_never_the_api(running: Service) -> None:
    app_client = web(running)
    signed_in = sign_in(app_client, running.client.token or "")

    assert signed_in.status_code == 302
    assert app_client.get("/").status_code == 200
    assert app_client.get("/api/v1/audits").status_code == 401


def test_the_address_of_all_audits_leads_to_where_they_are_listed(running: Service) -> None:
    app_client = web(running)
    sign_in(app_client, running.client.token or "")

    answer = app_client.get("/audits")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(running: Service) -> None:
    cookie = sign_in(web(running), running.client.token or "").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_in_leads_to_no_other_site(running: Service) -> None:
    answer = sign_in(web(running), running.client.token or "", next="//evil.example")

    assert answer.headers["Location"] == "/"


def web(running: Service):  # type: ignore[no-untyped-def]  # Flask's test client on the running service's home
    from evenhand.service.app import create_app
    from evenhand.service.config import Config

    return create_app(Config.from_environment({"EVENHAND_HOME": str(running.home)})).test_client()


def sign_in(app_client, token: str, **also: str):  # type: ignore[no-untyped-def]  # see web
    form = app_client.get("/sign-in").text
    secret = form.split('name="csrf_token" value="')[1].split('"')[0]
    return app_client.post("/sign-in", data={"token": token, "csrf_token": secret, **also})
