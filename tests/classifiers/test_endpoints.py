"""Endpoints: what is sent, what is believed, what is tried again, and whom nobody is made to ask."""

import base64
import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.classifiers.endpoints.address import address_of
from evenhand.classifiers.endpoints.client import Client, Surroundings
from evenhand.classifiers.endpoints.description import Endpoint, described_in, endpoint_from
from evenhand.classifiers.endpoints.models import open_endpoint
from evenhand.classifiers.endpoints.payload import png, rows_body, scores_in
from evenhand.classifiers.endpoints.rules import Rules, secrets_of
from evenhand.classifiers.errors import (
    BadEndpoint,
    EndpointFailed,
    EndpointRefused,
    QueriesSpent,
    WrongOutput,
)
from evenhand.classifiers.formats import Format, format_of
from evenhand.classifiers.loading import load_classifier

from .endpoint_server import Reply, served

HERE = Rules(loopback=True)
PEOPLE = {"age": np.array([30.0, 60.0, np.nan]), "job": np.array(["cook", "nurse", None], dtype=object)}
TWO = {"age": np.array([30.0, 60.0])}
CERTIFICATE = Path(__file__).with_name("models.example.com.pem")
"""Key and certificate of models.example.com, signed by itself; made with `openssl req -x509`, for these tests alone."""

ANYWHERE = Endpoint(url="https://models.example.com/v1/predict")


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def around(clock: Time) -> Surroundings:
    return Surroundings(clock=lambda: clock.now, sleep=clock.sleep)


def opened(url: str, clock: Time | None = None, **keys):
    endpoint = Endpoint(**{"url": url, "features": ("age",), "classes": ("no", "yes"), **keys})
    return open_endpoint(endpoint, rules=HERE, surroundings=around(clock or Time()))


def always(reply: Reply):
    return lambda instances, number: reply


# --- asking ---


def test_rows_travel_as_objects_and_probabilities_come_back_by_class():
    with served(lambda rows, number: Reply({"predictions": [[0.25, 0.75]] * len(rows)})) as server:
        model = opened(server.url, features=("age", "job"), classes=("yes", "no"))

        scores = model.predict_proba(PEOPLE)

    assert server.asked == [[{"age": 30, "job": "cook"}, {"age": 60, "job": "nurse"}, {"age": None, "job": None}]]
    assert model.classes == ("no", "yes")
    assert scores.tolist() == [[0.75, 0.25]] * 3


def test_many_rows_are_sent_in_batches_and_answered_in_order():
    with served() as server:
        scores = opened(server.url, batch=3).predict_proba({"age": np.array([40.0, 60, 40, 60, 40, 60, 60])})

    assert [len(rows) for rows in server.asked] == [3, 3, 1]
    assert scores[:, 1].tolist() == [0.4, 0.9, 0.4, 0.9, 0.4, 0.9, 0.9]


def test_pictures_travel_as_nested_lists_or_as_png():
    images = np.zeros((2, 2, 3, 3), dtype=np.float32)
    images[0, 0, 1] = (1.0, 0.5, 0.25)
    with served(lambda rows, number: Reply({"predictions": [0.5] * len(rows)})) as server:
        for sends in ("pixels", "png"):
            assert opened(server.url, features=(), image_shape=(2, 3, 3), sends=sends).predict_proba(images).shape == (
                2,
                2,
            )

    as_pixels, as_png = server.asked
    assert np.array_equal(np.array(as_pixels, dtype=np.float32), images)
    assert _pixels(base64.b64decode(as_png[0]["b64"]))[0, 1].tolist() == [255, 128, 64]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_png_holds_the_pixels_it_was_made_of(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)

    assert np.array_equal(_pixels(png(pixels)), pixels)


def _pixels(data):
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1)


def test_headers_come_from_the_environment_and_the_description_holds_only_their_names(monkeypatch):
    monkeypatch.setenv("EVENHAND_ENDPOINT_KEY", "Bearer sesame")
    with served() as server:
        endpoint = Endpoint(
            url=server.url, features=("age",), classes=("no", "yes"), headers={"Authorization": "EVENHAND_ENDPOINT_KEY"}
        )
        open_endpoint(endpoint, rules=Rules(hosts=("127.0.0.1",), loopback=True)).predict_proba(TWO)

    assert server.headers[0]["Authorization"] == "Bearer sesame"
    assert server.headers[0]["Host"] == f"127.0.0.1:{server.port}"
    assert b"sesame" not in endpoint.to_bytes()
    assert "sesame" not in repr(endpoint)


def test_a_description_file_is_a_model(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENHAND_ENDPOINT_LOOPBACK", "1")
    with served() as server:
        path = tmp_path / "model.toml"
        path.write_text(f'[model]\nurl = "{server.url}"\nfeatures = ["age"]\nclasses = ["no", "yes"]\n')

        with load_classifier(path) as loaded:
            scores = loaded.classifier.predict_proba(TWO)

    assert scores[:, 1].tolist() == [0.4, 0.9]
    assert (loaded.card.kind, loaded.card.gradients, loaded.card.confined) == ("endpoint", False, None)


# --- what is not believed ---

WRONG = {
    b"": "no JSON",
    b"not JSON": "no JSON",
    b"[]": "no object",
    b'{"error": "no"}': "an object with error",
    b'{"predictions": 3}': "an object with predictions",
    b'{"predictions": [[0.5, 0.5]]}': "answered 1; expected 2 predictions",
    b'{"predictions": [[0.5, 0.5], []]}': "expected 2 probabilities from 0 to 1",
    b'{"predictions": [[0.5, 0.5], [0.5, 0.5, 0.0]]}': "expected 2 probabilities",
    b'{"predictions": [[0.5, 0.5], [[0.5], [0.5]]]}': "expected 2 probabilities",
    b'{"predictions": [[0.5, 0.5], [1.5, -0.5]]}': "something else for row 2",
    b'{"predictions": [[0.5, 0.5], [NaN, 0.5]]}': "NaN is no number",
    b'{"predictions": [[0.5, 0.5], [1e999, 0.5]]}': "expected 2 probabilities",
    b'{"predictions": [[0.5, 0.5], [true, false]]}': "expected 2 probabilities",
    b'{"predictions": [[0.5, 0.5], [0.5, 0.9]]}': "a sum of 1.4",
    b'{"predictions": ["yes", "maybe"]}': "expected one of the classes no, yes",
    b'{"predictions": [0.5, 7]}': "expected 2 probabilities",
    b'{"predictions": [[[0.5]], [[0.5]]]}': "expected 2 probabilities",
    b'{"predictions": ' + b"[" * 10_000 + b"]" * 10_000 + b"}": "nested more than 16 deep",
    b'{"predictions": [' + b"1" * 5000 + b", 0]}": "no JSON",
}


@pytest.mark.parametrize("answer", WRONG, ids=lambda answer: answer[:40].decode())
def test_an_answer_that_is_no_probabilities_is_refused(answer):
    with pytest.raises(WrongOutput, match=r"host answered") as refused:
        scores_in(answer, name="host", rows=2, classes=["no", "yes"])

    assert WRONG[answer] in str(refused.value)


def test_labels_and_single_probabilities_are_understood():
    labels = scores_in(b'{"predictions": ["yes", "no"]}', name="h", rows=2, classes=["no", "yes"])
    single = scores_in(b'{"predictions": [0.25, [1]]}', name="h", rows=2, classes=["no", "yes"])

    assert labels.tolist() == [[0, 1], [1, 0]]
    assert single.tolist() == [[0.75, 0.25], [0, 1]]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50) | st.lists(st.floats() | st.text(max_size=5) | st.none(), max_size=3).map(json.dumps))
def test_any_answer_is_probabilities_or_a_clear_refusal(answer):
    data = answer if isinstance(answer, bytes) else f'{{"predictions": {answer}}}'.encode()
    try:
        scores = scores_in(data, name="h", rows=1, classes=["a", "b"])
    except WrongOutput:
        return
    assert np.allclose(scores.sum(axis=1), 1, atol=0.02)


def test_a_long_answer_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr("evenhand.classifiers.endpoints.client.MOST_ANSWER_BYTES", 1000)
    with (
        served(always(Reply(b" " * 100_000))) as server,
        pytest.raises(WrongOutput, match="expected at most 1,000 bytes"),
    ):
        opened(server.url).predict_proba(TWO)


def test_a_compressed_answer_is_refused():
    reply = Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with served(always(reply)) as server, pytest.raises(WrongOutput, match="not compressed"):
        opened(server.url).predict_proba(TWO)


def test_a_redirect_is_not_followed():
    with served() as other:
        reply = Reply({}, status=307, headers={"Location": other.url})
        with served(always(reply)) as server, pytest.raises(EndpointFailed, match=r"307.*redirects are not followed"):
            opened(server.url).predict_proba(TWO)

    assert (len(server.asked), other.asked) == (1, [])


# --- trying again ---


def test_what_fails_in_passing_is_tried_again_after_growing_pauses_of_the_seed():
    def third_time_lucky(rows, number):
        return Reply({"predictions": [0.5] * len(rows)}) if number == 2 else Reply({}, status=503)

    slept = []
    for _ in range(2):
        clock = Time()
        with served(third_time_lucky) as server:
            opened(server.url, clock).predict_proba(TWO)
        slept.append(clock.slept)

    assert slept[0] == slept[1]
    assert 0.25 <= slept[0][0] <= 0.5 <= slept[0][1] <= 1.0


def test_the_server_may_ask_for_a_longer_pause_within_bounds():
    pauses = {"7": 7.0, "100000": 30.0}
    for asked, waited in pauses.items():
        clock = Time()
        reply = Reply({}, status=429, headers={"Retry-After": asked})
        with served(always(reply)) as server, pytest.raises(EndpointFailed, match=r"429 Too Many Requests \(2 tries\)"):
            opened(server.url, clock, retries=1).predict_proba(TWO)
        assert clock.slept == [waited]


def test_what_is_wrong_for_good_is_not_tried_again():
    with served(always(Reply({}, status=401))) as server, pytest.raises(EndpointFailed, match="401 Unauthorized"):
        opened(server.url).predict_proba(TWO)

    assert len(server.asked) == 1


def test_an_answer_of_single_bytes_ends_with_the_time_of_the_request():
    slow = Reply(pieces=[b" "] * 200, pause=0.05)
    started = time.monotonic()
    with served(always(slow)) as server, pytest.raises(EndpointFailed, match=r"did not answer within 0\.3 seconds"):
        opened(server.url, timeout_seconds=0.3, retries=0).predict_proba(TWO)

    assert time.monotonic() - started < 3


def test_nobody_listening_is_told():
    with served() as server:
        pass
    with pytest.raises(EndpointFailed, match="the connection failed"):
        opened(server.url, retries=1).predict_proba(TWO)


def test_requests_keep_their_distance():
    clock = Time()
    with served() as server:
        opened(server.url, clock, batch=1, per_second=4).predict_proba({"age": np.array([1.0, 2, 3])})

    assert clock.slept == [0.25, 0.25]


def test_no_more_rows_are_sent_than_the_budget_allows():
    with served() as server:
        model = opened(server.url, queries=5, batch=2)
        with pytest.raises(QueriesSpent, match="was sent 4 rows, and 2 more would pass the budget of 5"):
            model.predict_proba({"age": np.ones(10)})

    assert sum(map(len, server.asked)) == 4


# --- whom nobody is made to ask ---

FORBIDDEN = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0"),
    *("fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("::ffff:169.254.169.254", "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "nonsense"),
    "2001:0:0:0:0:0:f5ff:fffe",  # Teredo for 10.0.0.1
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_only_public_addresses_are_asked(address):
    with pytest.raises(EndpointRefused, match=r"models\.example\.com is not asked"):
        address_of(ANYWHERE, rules=Rules(), resolver=lambda host, port: [address])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_asked(address):
    assert address_of(ANYWHERE, rules=Rules(), resolver=lambda host, port: [address]) == address


def test_one_forbidden_address_among_public_ones_is_enough():
    with pytest.raises(EndpointRefused, match=r"10\.0\.0\.1 is private"):
        address_of(ANYWHERE, rules=Rules(), resolver=lambda host, port: ["93.184.215.14", "10.0.0.1"])


def test_a_name_is_looked_up_once_so_that_a_second_answer_changes_nothing():
    """DNS rebinding: the name points to a harmless address when it is checked, and elsewhere afterwards."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with served() as server:
        endpoint = Endpoint(
            url=f"http://rebinding.example.com:{server.port}/predict", features=("age",), classes=("no", "yes"), batch=1
        )
        surroundings = Surroundings(resolver=lambda host, port: next(answers))
        open_endpoint(endpoint, rules=HERE, surroundings=surroundings).predict_proba(TWO)

    assert len(server.asked) == 2
    assert next(answers) == ["169.254.169.254"]  # never asked for
    assert server.headers[0]["Host"] == f"rebinding.example.com:{server.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1"])
def test_this_machine_is_not_asked_under_any_spelling(host):
    model = open_endpoint(Endpoint(url=f"https://{host}/", features=("age",), classes=("a", "b")), rules=Rules())

    with pytest.raises((EndpointRefused, EndpointFailed)) as refused:
        model.predict_proba(TWO)

    assert isinstance(refused.value, EndpointRefused) or "looked up" in str(refused.value)


def test_http_is_for_this_machine_alone_and_only_where_it_is_allowed():
    plain = Endpoint(url="http://models.example.com/")

    with pytest.raises(EndpointRefused, match=r"http is not encrypted\. Use https"):
        Client(plain, rules=Rules())
    with pytest.raises(EndpointRefused, match="http is for this machine alone"):
        address_of(plain, rules=HERE, resolver=lambda host, port: ["93.184.215.14"])


@pytest.mark.parametrize(
    ("hosts", "allowed"),
    [
        (None, True),
        ((), False),
        (("models.example.com",), True),
        (("models.example.com:443",), True),
        (("models.example.com:8443",), False),
        (("*.example.com",), True),
        (("example.com",), False),
        (("*.models.example.com",), False),
        (("xmodels.example.com",), False),
    ],
)
def test_hosts_are_asked_that_are_listed(hosts, allowed):
    if allowed:
        Client(ANYWHERE, rules=Rules(hosts=hosts))
        return
    with pytest.raises(EndpointRefused, match=r"EVENHAND_ENDPOINT_HOSTS lists .* Add models\.example\.com to it"):
        Client(ANYWHERE, rules=Rules(hosts=hosts))


def test_secrets_go_to_listed_hosts_alone():
    endpoint = Endpoint(url=ANYWHERE.url, headers={"X-Key": "EVENHAND_ENDPOINT_KEY"})

    Client(endpoint, rules=Rules(hosts=("models.example.com",)))
    with pytest.raises(EndpointRefused, match="secrets in headers are sent only to hosts that are listed"):
        Client(endpoint, rules=Rules())


def test_rules_come_from_the_environment():
    assert Rules.from_environment({}) == Rules(hosts=None, loopback=False)
    assert Rules.from_environment({"EVENHAND_ENDPOINT_HOSTS": ""}) == Rules(hosts=())
    assert Rules.from_environment({"EVENHAND_ENDPOINT_HOSTS": "A.com, b.com", "EVENHAND_ENDPOINT_LOOPBACK": "1"}) == (
        Rules(hosts=("a.com", "b.com"), loopback=True)
    )


EVERYWHERE = "0.0.0.0/0,::/0"
OPENED = {
    "a private network that is named": ("10.20.0.0/16", "10.20.3.4", True),
    "one of several": ("192.168.7.0/24, fd12:3456::/32", "fd12:3456::1", True),
    "the same, mapped into IPv6": ("10.20.0.0/16", "::ffff:10.20.3.4", True),
    "shared addresses of a carrier": ("100.64.0.0/10", "100.64.0.9", True),
    "another private network": ("10.20.0.0/16", "10.21.0.1", False),
    "the address inside a 6to4 tunnel": ("10.0.0.0/8", "2002:a00:1::", False),
    "the address inside NAT64": ("10.0.0.0/8", "64:ff9b::a00:1", False),
    "this machine, in a network": (EVERYWHERE, "127.0.0.1", False),
    "this machine in IPv6, in a network": (EVERYWHERE, "::1", False),
    "credentials of the cloud, in a network": (EVERYWHERE, "169.254.169.254", False),
    "credentials of the cloud, in its own network": ("169.254.0.0/16", "169.254.169.254", False),
    "credentials of a cloud in IPv6": (EVERYWHERE, "fd00:ec2::254", False),
    "credentials of a cloud at a shared address": (EVERYWHERE, "100.100.100.200", False),
    "link-local in IPv6, in a network": (EVERYWHERE, "fe80::1", False),
    "a group of machines": (EVERYWHERE, "239.1.2.3", False),
    "no address": (EVERYWHERE, "0.0.0.0", False),
    "all machines": (EVERYWHERE, "255.255.255.255", False),
    "credentials of the cloud, named exactly": ("169.254.169.254/32", "169.254.169.254", True),
    "this machine, named exactly": ("127.0.0.1", "127.0.0.1", True),
}


@pytest.mark.parametrize("case", OPENED)
def test_networks_are_asked_that_are_named(case):
    networks, address, is_asked = OPENED[case]
    rules = Rules.from_environment({"EVENHAND_ENDPOINT_NETWORKS": networks})

    if is_asked:
        assert address_of(ANYWHERE, rules=rules, resolver=lambda host, port: [address]) == address
        return
    with pytest.raises(EndpointRefused, match="only public addresses are asked"):
        address_of(ANYWHERE, rules=rules, resolver=lambda host, port: [address])


def test_named_network_is_asked_over_https_alone():
    rules = Rules.from_environment({"EVENHAND_ENDPOINT_NETWORKS": "10.0.0.0/8", "EVENHAND_ENDPOINT_LOOPBACK": "1"})

    with pytest.raises(EndpointRefused, match="http is for this machine alone"):
        address_of(Endpoint(url="http://models.internal/"), rules=rules, resolver=lambda host, port: ["10.0.0.1"])


def test_host_with_one_address_outside_the_named_networks_is_refused():
    rules = Rules.from_environment({"EVENHAND_ENDPOINT_NETWORKS": "10.0.0.0/8"})

    with pytest.raises(EndpointRefused, match=r"192\.168\.0\.1 is private.*EVENHAND_ENDPOINT_NETWORKS opens networks"):
        address_of(ANYWHERE, rules=rules, resolver=lambda host, port: ["10.0.0.1", "192.168.0.1"])


@pytest.mark.parametrize("networks", ["10.0.0.1/8", "internal", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(networks):
    with pytest.raises(BadEndpoint, match=r"EVENHAND_ENDPOINT_NETWORKS.*Write networks as 10\.20\.0\.0/16"):
        Rules.from_environment({"EVENHAND_ENDPOINT_NETWORKS": networks})


def test_a_certificate_of_another_name_is_not_accepted():
    import ssl
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"predictions": [0.5, 0.5]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Say nothing."""

    class Quiet(HTTPServer):
        def handle_error(self, request, client_address):
            """The other side breaks off, which is the point."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        outcomes = {}
        for host in ("models.example.com", "other.example.com"):
            endpoint = Endpoint(
                url=f"https://{host}:{server.server_address[1]}/", features=("age",), classes=("no", "yes"), retries=0
            )
            surroundings = Surroundings(resolver=lambda host, port: ["127.0.0.1"], context=trusting)
            try:
                outcomes[host] = open_endpoint(endpoint, rules=HERE, surroundings=surroundings).predict_proba(TWO).shape
            except EndpointFailed as failed:
                outcomes[host] = str(failed)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert outcomes["models.example.com"] == (2, 2)
    assert "certificate is not accepted" in outcomes["other.example.com"]


# --- descriptions ---

UNUSABLE = {
    "ftp": {"url": "ftp://models.example.com/"},
    "a file": {"url": "file:///etc/passwd"},
    "no host": {"url": "https:///predict"},
    "a password in the address": {"url": "https://me:sesame@models.example.com/"},
    "a line break in the address": {"url": "https://models.example.com/\r\nX: y"},
    "port 0": {"url": "https://models.example.com:0/"},
    "a port beyond all": {"url": "https://models.example.com:70000/"},
    "no url": {"features": ["a"]},
    "an unknown key": {"token": "sesame"},
    "a secret in place of a variable": {"headers": {"Authorization": "Bearer sesame"}},
    "a variable of something else": {"headers": {"X-Key": "EVENHAND_DATABASE_URL"}},
    "a setting as a secret": {"headers": {"X-Key": "EVENHAND_ENDPOINT_HOSTS"}},
    "networks as a secret": {"headers": {"X-Key": "EVENHAND_ENDPOINT_NETWORKS"}},
    "a header of ours": {"headers": {"Host": "EVENHAND_ENDPOINT_KEY"}},
    "a line break in a header": {"headers": {"X\r\nY": "EVENHAND_ENDPOINT_KEY"}},
    "headers of a list": {"headers": ["X-Key"]},
    "one class": {"classes": ["yes"]},
    "a class twice": {"classes": ["yes", "yes"]},
    "features of numbers": {"features": [1, 2]},
    "features of a text": {"features": "age"},
    "huge pictures": {"image_shape": [2**40, 2**40, 3]},
    "pictures of two numbers": {"image_shape": [32, 32]},
    "pictures of fractions": {"image_shape": [1.5, 32, 3]},
    "pictures as rows": {"image_shape": [32, 32, 3], "sends": "rows"},
    "an unknown way to send": {"sends": "pickle"},
    "no rows at once": {"batch": 0},
    "true rows at once": {"batch": True},
    "retries without end": {"retries": 10**9},
    "no time": {"timeout_seconds": 0},
    "time that is no number": {"timeout_seconds": float("nan")},
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_description_that_says_what_cannot_be_is_refused(what):
    document = UNUSABLE[what] if what == "no url" else {"url": ANYWHERE.url} | UNUSABLE[what]

    with pytest.raises(BadEndpoint, match="the description of the endpoint cannot be used") as refused:
        endpoint_from(document)

    assert "sesame" not in str(refused.value)


def test_a_description_written_and_read_again_is_the_same():
    endpoint = Endpoint(
        url=ANYWHERE.url, headers={"X": "EVENHAND_ENDPOINT_X"}, features=("b", "a"), image_shape=None, per_second=2.5
    )

    assert endpoint_from(described_in(endpoint.to_bytes()) or {}) == endpoint


@pytest.mark.parametrize("data", [b"{}", b'{"url": ', b"[" * 100_000, b'{"a":' * 30_000, b"model = 3", b"\xff\xfe"])
def test_what_is_no_description_is_none(data):
    assert described_in(data) is None


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([*Endpoint.__dataclass_fields__]), st.none() | st.integers() | st.text()))
def test_any_description_is_an_endpoint_or_a_clear_refusal(document):
    try:
        endpoint_from(document | {"url": ANYWHERE.url})
    except BadEndpoint:
        return


def test_a_variable_that_is_not_set_is_named():
    endpoint = Endpoint(url=ANYWHERE.url, headers={"X-Key": "EVENHAND_ENDPOINT_KEY"})

    with pytest.raises(BadEndpoint, match="the environment variable EVENHAND_ENDPOINT_KEY is not set"):
        secrets_of(endpoint, {})
    with pytest.raises(BadEndpoint, match="holds characters that no header can"):
        secrets_of(endpoint, {"EVENHAND_ENDPOINT_KEY": "a\r\nb"})


def test_what_an_endpoint_needs_to_be_told_is_asked_for():
    for lacking in ("features", "classes"):
        keys = {"features": ("age",), "classes": ("no", "yes")} | {lacking: ()}
        with pytest.raises(BadEndpoint, match=f"`{lacking}`: .* named neither here nor by"):
            open_endpoint(Endpoint(url=ANYWHERE.url, **keys), rules=Rules())
    with pytest.raises(BadEndpoint, match="`image_shape`"):
        open_endpoint(Endpoint(url=ANYWHERE.url, sends="png", classes=("no", "yes")), rules=Rules())


def test_a_description_is_told_from_other_formats():
    assert format_of(b'{"url": "https://models.example.com/"}', name="m") is Format.ENDPOINT
    assert format_of(b'url = "https://models.example.com/"\n', name="m") is Format.ENDPOINT


def test_empty_tables_ask_nothing():
    assert json.loads(rows_body({"age": np.array([])})) == {"instances": []}
    assert opened("http://127.0.0.1:9/").predict_proba({"age": np.array([])}).shape == (0, 2)
