"""What is asked of bulk APIs, where, as whom, and what their answers may say: tables of cases."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.intake.bulk.answers import Answer, masked, told
from services.intake.bulk.credentials import Credentials, credentials
from services.intake.bulk.failures import (
    AnswerInvalid,
    CredentialsMissing,
    RequestRefused,
    StrangeAddress,
    UnknownProfile,
)
from services.intake.bulk.job_list import running_jobs
from services.intake.bulk.manifest import expiry, manifest_from, same_server
from services.intake.bulk.profiles import profile_named, profiles
from services.intake.bulk.progress import percent_done
from services.intake.bulk.request import export_request, instant
from services.intake.bulk.tokens import assertion
from services.intake.bulk.waiting import LONGEST_SECONDS, SHORTEST_SECONDS, PollPauses, retry_after

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        (None, None),
        ("", None),
        ("Pending", None),
        ("In Progress", None),
        ("In Progress (0%)", 0),
        ("In Progress (45%)", 45),
        ("45.9 %", 45),
        ("100%", 100),
        ("101%", None),
        ("1000%", None),
        ("1.5.7%", None),
        ("x" * 199 + "5%", None),
    ],
)
def test_progress(text: str | None, percent: int | None) -> None:
    assert percent_done(text) == percent


@given(st.text())
def test_progress_of_anything_is_a_percentage_or_nothing(text: str) -> None:
    assert percent_done(text) in {None, *range(101)}


@given(st.text())
def test_retry_after_of_anything_is_within_bounds(text: str) -> None:
    found = retry_after(text, NOON)
    assert found is None or SHORTEST_SECONDS <= found <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 1.0),
        ("3601", 3600.0),
        ("9" * 40, None),
        ("٣", None),
        ("1.5", None),
        ("Tue, 05 Mar 2024 12:00:30 GMT", 30.0),
        ("Tue, 05 Mar 2024 07:00:30 -0500", 30.0),
        ("Tue, 05 Mar 2024 12:00:30", 30.0),
        ("Tue, 05 Mar 2000 12:00:30 GMT", 1.0),
        ("Tue, 99 Mar 2024 12:00:30 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOON) == seconds


def test_pauses_grow_and_stay() -> None:
    pauses = PollPauses()
    found = [pauses.next() for _ in range(50)]
    assert found[0] == 5.0
    assert found == sorted(found)
    assert found[-1] == 60.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("", None),
        ("tomorrow", None),
        ("Wed, 06 Mar 2024 12:00:00 GMT", NOON + timedelta(days=1)),
        ("2024-03-06 12:00:00 +0000 UTC", NOON + timedelta(days=1)),
        ("2024-03-06 07:00:00.123456789 -0500 EST m=+0.1", NOON + timedelta(days=1)),
        ("2024-13-06 07:00:00 -0500", None),
    ],
)
def test_expiry(text: str | None, moment: datetime | None) -> None:
    assert expiry(text) == moment


@pytest.mark.parametrize(
    "url", ["https://a.gov/data/1/x", "https://A.GOV:443/data/1/x", "/data/1/x", "data/1/x", "https:///data/1/x"]
)
def test_addresses_of_the_same_server(url: str) -> None:
    assert httpx.URL(same_server(url, "https://a.gov")).host.lower() == "a.gov"


@pytest.mark.parametrize(
    "url",
    [
        "http://a.gov/x",
        "https://b.gov/x",
        "https://a.gov.evil.example/x",
        "https://a.gov:444/x",
        "https://me@a.gov/x",
        "https://a.gov@b.gov/x",
        "//b.gov/x",
        "\\\\b.gov\\x\x00",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://[::1",
        "https://a.gov:99999999/",
    ],
)
def test_addresses_of_strangers(url: str) -> None:
    with pytest.raises(StrangeAddress):
        same_server(url, "https://a.gov")


@given(st.text())
def test_any_address_is_of_the_same_server_or_refused(url: str) -> None:
    try:
        found = httpx.URL(same_server(url, "https://a.gov"))
    except StrangeAddress:
        return
    assert (found.scheme, found.host, found.port, found.userinfo) == ("https", "a.gov", None, b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid group ID", "Invalid group ID"),
        ("MBI 1EG4-TE5-MK73 not found", "MBI *** not found"),
        ("Patient/-10000010254618 at 2024-01-01T00:00:00", "*** at ***"),
        ("code 42 is short", "code 42 is short"),
        ("a\x1b[31mred\nline", "a *** line"),
        ("x" * 500, "x" * 200),
    ],
)
def test_words_of_the_server_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.text())
def test_no_long_number_comes_through(text: str) -> None:
    assert not re.search(r"\d{5}", masked(text))


@pytest.mark.parametrize(
    ("issues", "text"),
    [
        (None, "no reason given"),
        ([], "no reason given"),
        (["nonsense"], "unreadable"),
        ([{"severity": "error", "code": "exception", "diagnostics": "why"}], "error exception why"),
        ([{"details": {"text": "why"}}, {"details": "x"}], "why; "),
    ],
)
def test_outcomes_are_told_in_a_line(issues: object, text: str) -> None:
    assert told({"issue": issues}) == text


def test_what_is_no_outcome_says_nothing() -> None:
    html = Answer(500, httpx.Headers({"content-type": "text/html"}), b"<html>")
    other = Answer(500, httpx.Headers(), b'{"resourceType": "Bundle"}')
    assert (html.outcome(), other.outcome()) == (None, None)


def test_the_known_sources_are_all_encrypted_and_each_can_be_asked() -> None:
    known = profiles()
    assert set(known) == {"bcda", "bcda-sandbox", "ab2d", "ab2d-sandbox", "dpc", "dpc-sandbox"}
    for profile in known.values():
        group = profile.group or "7b8a1c9e-1111-4c7a-9d6a-000000000000"
        assert export_request(profile, group=group).url.startswith(f"{profile.base_url}/api/v")
        assert profile.token_url.startswith("https://")


@pytest.mark.parametrize(
    ("source", "options", "url"),
    [
        ("bcda", {}, "https://api.bcda.cms.gov/api/v3/Group/all/$export?_type=Patient,Coverage,ExplanationOfBenefit"),
        (
            "bcda",
            {"version": "v2", "group": "runout", "types": ("ExplanationOfBenefit",)},
            "https://api.bcda.cms.gov/api/v2/Group/runout/$export?_type=ExplanationOfBenefit",
        ),
        (
            "bcda",
            {"version": "v2", "types": ("Claim", "ClaimResponse", "Claim")},
            "https://api.bcda.cms.gov/api/v2/Group/all/$export?_type=Claim,ClaimResponse",
        ),
        ("ab2d", {}, "https://api.ab2d.cms.gov/api/v2/fhir/Patient/$export?_type=ExplanationOfBenefit"),
        (
            "ab2d",
            {"group": "Z0001"},
            "https://api.ab2d.cms.gov/api/v2/fhir/Group/Z0001/$export?_type=ExplanationOfBenefit",
        ),
    ],
)
def test_addresses_of_exports(source: str, options: dict[str, str], url: str) -> None:
    assert export_request(profile_named(source), **options).url == url  # type: ignore[arg-type]


def test_since_stands_in_the_address_as_an_instant() -> None:
    moment = datetime.fromisoformat("2024-03-05T07:00:00.1234-05:00")
    request = export_request(profile_named("bcda"), types=("Patient",)).asking_since(moment)
    assert request.url.endswith("?_type=Patient&_since=2024-03-05T12:00:00.123Z")
    assert instant(NOON) == "2024-03-05T12:00:00.000Z"


def test_bookkeeping_tells_requests_apart_but_not_the_order_of_types() -> None:
    profile = profile_named("bcda")
    keys = [
        export_request(profile).key,
        export_request(profile.moved_to("https://other.example.gov")).key,
        export_request(profile, version="v2").key,
        export_request(profile, group="runout").key,
        export_request(profile, types=("Patient", "Coverage")).key,
    ]
    assert len(set(keys)) == 5
    assert export_request(profile, types=("Coverage", "Patient")).key == keys[-1]


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("bcda", {"version": "v4"}),
        ("bcda", {"group": "none"}),
        ("ab2d", {"group": "../x"}),
        ("dpc", {}),
        ("dpc", {"group": "patient"}),
        ("bcda", {"types": ("Practitioner",)}),
    ],
)
def test_what_a_source_does_not_have_is_refused(source: str, options: dict[str, str]) -> None:
    with pytest.raises(RequestRefused):
        export_request(profile_named(source), **options)  # type: ignore[arg-type]


_OWN = """
[ours]
value = {{ base_url = "{url}", token_url = "{url}/token", versions = ["v2"], version = "v2", groups = ["all"] {more} }}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ours", "TOMLDecodeError"),
        ("[ours]\nx = 1", "KeyError"),
        ("[ours]\nvalue = 5", "cannot be read"),
        ("[ours]\nvalue = {}", "are needed"),
        (_OWN.format(url="http://api.example.gov", more=""), "https://"),
        (_OWN.format(url="https://me:secret@api.example.gov", more=""), "do not belong"),
        (_OWN.format(url="https://[a.gov", more=""), "cannot be read"),
        (_OWN.format(url="https://a.gov:port", more=""), "cannot be read"),
        (_OWN.format(url="https://a.gov", more=", verify = false"), "verify"),
        (_OWN.format(url="https://a.gov", more="").replace("ours", "Our_s"), "its name"),
    ],
)
def test_files_of_profiles_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(text)
    with pytest.raises(UnknownProfile, match=said) as found:
        profiles(file)
    assert "secret" not in str(found.value)


def test_a_file_of_profiles_adds_to_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(_OWN.format(url="https://a.gov", more=', group_path = "/v/{group}"'))
    assert export_request(profile_named("ours", file), group="all").url.startswith("https://a.gov/v/all?")
    assert profile_named("bcda", file).name == "bcda"


def test_a_source_that_moved_takes_its_token_with_it() -> None:
    moved = profile_named("bcda").moved_to("http://127.0.0.1:8080/")
    assert (moved.base_url, moved.token_url) == ("http://127.0.0.1:8080", "http://127.0.0.1:8080/auth/token")
    assert profile_named("ab2d").moved_to("https://a.gov").token_url.startswith("https://idm.cms.gov/")


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("", "two lines"), ("one", "two lines"), ("a\nb\nc", "two lines")]
)
def test_files_of_credentials_that_cannot_be(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "credentials"
    if text is not None:
        file.write_text(text)
        file.chmod(0o600)
    with pytest.raises(CredentialsMissing, match=said):
        credentials({}, file)


def test_credentials_do_not_show_themselves(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("  the client \n\n the secret \n")
    file.chmod(0o600)
    found = credentials({}, file)
    assert found.secret.get_secret_value() == "the secret"
    assert "the " not in repr(found)
    with pytest.raises(CredentialsMissing, match="TANDEM_BULK_CLIENT_ID"):
        credentials({"TANDEM_BULK_CLIENT_ID": "x"}, None)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    private = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()).decode()


def test_an_assertion_is_signed_for_its_audience_and_five_minutes(tmp_path: Path) -> None:
    key, file = rsa.generate_private_key(65537, 2048), tmp_path / "key.pem"
    file.write_text(_pem(key))
    file.chmod(0o600)
    environment = {"TANDEM_BULK_CLIENT_ID": "macaroon", "TANDEM_BULK_PRIVATE_KEY_FILE": str(file)}
    with pytest.raises(CredentialsMissing, match="TANDEM_BULK_KEY_ID"):
        credentials(environment, None, signs_assertion=True)
    found = credentials({**environment, "TANDEM_BULK_KEY_ID": "k1"}, None, signs_assertion=True)
    text = assertion(found, "https://a.gov/token", NOON, "n1")
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in text.split("."))
    assert json.loads(head) == {"alg": "RS384", "kid": "k1", "typ": "JWT"}
    assert json.loads(claims) == {
        "iss": "macaroon", "sub": "macaroon", "aud": "https://a.gov/token", "exp": int(NOON.timestamp()) + 300,
        "jti": "n1",
    }  # fmt: skip
    key.public_key().verify(signature, text.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA384())


@pytest.mark.parametrize("pem", ["nonsense", _pem(ec.generate_private_key(ec.SECP256R1()))], ids=("none", "elliptic"))
def test_keys_that_cannot_sign(pem: str) -> None:
    with pytest.raises(CredentialsMissing, match="private key"):
        assertion(Credentials(SecretStr("c"), SecretStr(pem), "k"), "https://a.gov/token", NOON, "n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = ["transactionTime", "output", "error", "deleted", "entry", "issue", "type", "url"]
DOCUMENTS = st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=8), JSON, max_size=8)


def _answer(document: object, status: int = 200) -> Answer:
    return Answer(status, httpx.Headers({"content-type": "application/fhir+json"}), json.dumps(document).encode())


@given(JSON | DOCUMENTS)
def test_any_list_of_files_is_read_or_refused(document: object) -> None:
    try:
        found = manifest_from(_answer(document), "https://a.gov")
    except AnswerInvalid:
        return
    assert all(httpx.URL(file.url).host == "a.gov" for file in (*found.files, *found.errors))


@given(JSON | DOCUMENTS)
def test_any_document_may_stand_where_an_outcome_should(document: object) -> None:
    if isinstance(document, dict):
        document["resourceType"] = "OperationOutcome"
    said = _answer(document, 500).outcome()
    assert said is None or len(said) < 1000


@given(st.lists(JSON, max_size=4) | JSON)
def test_any_list_of_jobs_is_looked_through(entries: object) -> None:
    tasks = [{"resource": {"status": "accepted", "identifier": entries, "input": entries}}]
    assert running_jobs({"entry": entries}, "https://a.gov/api/v3/Group/all/$export") == []
    assert running_jobs({"entry": tasks}, "https://a.gov/api/v3/Group/all/$export") == []


@pytest.mark.parametrize(
    ("request_url", "status", "found"),
    [
        ("GET https://a.gov/Group/all/$export?_type=Patient,Coverage", "in-progress", ["7"]),
        ("GET https://a.gov/Group/all/$export?_type=Patient%2CCoverage", "accepted", ["7"]),
        ("GET http://inside/Group/all/$export?_type=Patient,Coverage", "accepted", ["7"]),
        ("GET https://a.gov/Group/all/$export?_type=Patient", "in-progress", []),
        ("GET https://a.gov/Group/runout/$export?_type=Patient,Coverage", "in-progress", []),
        ("GET https://a.gov/Group/all/$export?_type=Patient,Coverage", "completed", []),
        ("GET https://[", "in-progress", []),
        ("nonsense", "in-progress", []),
    ],
)
def test_our_own_job_among_those_that_run(request_url: str, status: str, found: list[str]) -> None:
    task = {
        "status": status,
        "identifier": [{"value": "no number"}, {"value": "7"}],
        "input": [{"type": {"text": "BULK FHIR Export"}, "valueString": request_url}],
    }
    wanted = "https://a.gov/Group/all/$export?_type=Patient,Coverage"
    assert running_jobs({"entry": [{"resource": task}]}, wanted) == found
