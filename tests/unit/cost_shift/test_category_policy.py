"""The policy files: complete, sourced, without contradiction; and refused when they are not."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.codes import ServiceCategory
from services.cost_shift import category_policy as policy_of
from services.cost_shift import policy_files
from services.cost_shift.rules.category_split import Splits

ENTRY = '{ value = ["1"], source = "a document", status = "confirmed" }'


def write(folder: Path, **changed: str) -> None:
    entries = {
        "medicare_claim_type": f"inpatient = {ENTRY}",
        "medicaid_file": f"drugs = {ENTRY}",
        "medicaid_type_of_service": f"other = {ENTRY}",
        "medicaid_basis": f"both = {ENTRY}",
    } | changed
    tables = "\n".join(f"[{table}]\n{body}" for table, body in entries.items())
    alone = "\n".join(f"{name} = {ENTRY}" for name in ("medicare_part_b", "medicare_part_d", "medicaid_capitation"))
    (folder / "claim_categories.toml").write_text(f"{alone}\n{tables}\n", encoding="utf-8")
    (folder / "category_splits.toml").write_text("[medicare]\n[medicaid]\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(policy_files, "POLICY_FOLDER", tmp_path)
    return tmp_path


def test_a_sound_file_is_read(folder: Path) -> None:
    write(folder)
    read = policy_of.category_policy.__wrapped__()
    assert read.medicare_category == {"1": "inpatient"}
    assert read.medicaid_capitation == {"1"}


@pytest.mark.parametrize(
    "body",
    [
        'inpatient = { value = ["1"], status = "confirmed" }',
        'inpatient = { value = ["1"], source = "", status = "confirmed" }',
        'inpatient = { value = ["1"], source = "a document" }',
        'inpatient = { value = ["1"], source = "a document", status = "perhaps" }',
        f"ambulance_by_balloon = {ENTRY}",
    ],
)
def test_an_unsound_entry_is_refused(folder: Path, body: str) -> None:
    write(folder, medicare_claim_type=body)
    with pytest.raises(policy_files.PolicyError):
        policy_of.category_policy.__wrapped__()


def test_the_policy_in_force_names_each_code_once() -> None:
    read = tomllib.loads((policy_files.POLICY_FOLDER / "claim_categories.toml").read_text(encoding="utf-8"))
    for table in ("medicare_claim_type", "medicaid_file", "medicaid_type_of_service", "medicaid_basis"):
        codes = [code for entry in read[table].values() for code in entry["value"]]
        assert len(codes) == len(set(codes)), table


def test_categories_of_the_policy_exist() -> None:
    policy = policy_of.category_policy()
    named = {
        *policy.medicare_category.values(),
        *policy.medicaid_file_category.values(),
        *policy.medicaid_service_category.values(),
    }
    assert named <= set(ServiceCategory)
    assert set(policy.medicaid_basis.values()) == {"services", "outlay", "both"}
    assert {policy.medicaid_basis[code] for code in policy.medicaid_capitation} == {"outlay"}


def test_pairs_name_categories_that_claims_can_have() -> None:
    policy = policy_of.category_policy()
    medicare = {*policy.medicare_category.values(), *split(policy.medicare_splits)}
    medicaid = {
        *policy.medicaid_file_category.values(),
        *policy.medicaid_service_category.values(),
        *split(policy.medicaid_splits),
    }
    for pair in policy_of.category_pairs():
        assert pair.medicare in medicare
        assert pair.medicaid in medicaid


def split(splits: Splits) -> set[str]:
    return {one.category for codes in splits for one in codes.values()}


@pytest.mark.parametrize("channel", ["durable_medical_equipment", "behavioural_health", "drugs", "hospice"])
def test_a_channel_of_one_service_links_both_payers_series_of_it(channel: str) -> None:
    (pair,) = (one for one in policy_of.category_pairs() if one.channel == channel)
    assert pair.medicare == pair.medicaid == channel


def test_a_channel_that_is_not_like_with_like_says_so() -> None:
    caveats = {pair.channel: pair.caveat for pair in policy_of.category_pairs() if pair.caveat}
    assert caveats.keys() == {"behavioural_health", "drugs"}
    assert "substance use" in caveats["behavioural_health"]


SPLIT = 'by = "procedure", value = ["J"], source = "a document", status = "confirmed", from = "2022-01"'


@pytest.mark.parametrize(
    "body",
    [
        f"balloons = {{ {SPLIT} }}",
        "drugs = {{ {} }}".format(SPLIT.replace("procedure", "weather")),
        "drugs = {{ {} }}".format(SPLIT.replace("2022-01", "2022")),
        "drugs = {{ {} }}".format(SPLIT.replace('source = "a document", ', "")),
        f"drugs = {{ {SPLIT} }}\nhospice = {{ {SPLIT} }}",
    ],
    ids=["no such category", "by what", "no month", "no source", "twice"],
)
def test_an_unsound_split_is_refused(folder: Path, body: str) -> None:
    write(folder)
    (folder / "category_splits.toml").write_text(f"[medicare]\n{body}\n[medicaid]\n", encoding="utf-8")
    with pytest.raises(policy_files.PolicyError):
        policy_of.category_policy.__wrapped__()


def test_every_code_of_the_layouts_has_exactly_one_place() -> None:
    policy = policy_of.category_policy()
    assert set(policy.medicare_category) == {"10", "20", "30", "40", "50", "60", "61", "71", "72", "81", "82"}
    assert set(policy.medicare_category).isdisjoint(policy.medicare_part_d)
    assert policy.medicare_part_b < set(policy.medicare_category)
    assert policy.medicaid_capitation < set(policy.medicaid_basis)


def test_every_entry_in_force_says_where_it_comes_from_and_how_sure_it_is() -> None:
    for file in policy_files.POLICY_FOLDER.glob("*.toml"):
        entries = list(_entries(tomllib.loads(file.read_text(encoding="utf-8"))))
        assert entries
        for entry in entries:
            assert entry["status"] in {"confirmed", "unconfirmed"}
            assert len(entry["source"]) > 10


def _entries(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "source" in table:
        yield table
        return
    for inner in table.values():
        yield from _entries(inner)


@pytest.mark.parametrize(
    "body",
    [
        'x = { medicare = "inpatient", medicaid = "drugs", status = "confirmed" }',
        'x = { medicare = "inpatient", medicaid = "drugs", source = "a document" }',
        'x = { medicare = "balloons", medicaid = "drugs", source = "a document", status = "confirmed" }',
        'x = { medicare = "inpatient", medicaid = "balloons", source = "a document", status = "confirmed" }',
    ],
)
def test_an_unsound_pair_is_refused(folder: Path, body: str) -> None:
    (folder / "category_pairs.toml").write_text(body, encoding="utf-8")
    with pytest.raises(policy_files.PolicyError):
        policy_of.category_pairs.__wrapped__()
