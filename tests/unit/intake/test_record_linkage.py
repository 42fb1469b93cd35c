"""Whether two records are of one person: a table of pairs, and what holds of every pair."""

from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.name_form import name_form, sound_of
from services.intake.rules.record_linkage import (
    KnownAs,
    PolicyError,
    known_as,
    linkage_policy,
    policy_of,
    resemblance,
)

POLICY = linkage_policy()
RUTH = known_as("Kowalski", "Ruth", date(1941, 5, 3), "2", "OH", POLICY)

# What is changed, the level on which that field agrees then, and the verdict of the pair.
PAIRS: list[tuple[str, dict[str, object], tuple[str, str], str]] = [
    ("nothing", {}, ("family_name", "exact"), "link"),
    ("two letters of the family name", {"family_name": "KOWLASKI"}, ("family_name", "similar"), "link"),
    ("a letter of the given name", {"given_name": "RUTHE"}, ("given_name", "similar"), "link"),
    ("an initial in place of the given name", {"given_name": "R"}, ("given_name", "initial"), "review"),
    ("a name by marriage", {"family_name": "NGUYEN"}, ("family_name", "different"), "review"),
    ("a twin", {"given_name": "DOLORES"}, ("given_name", "different"), "review"),
    ("day and month changed", {"birth_date": date(1941, 3, 5)}, ("birth_date", "transposed"), "review"),
    ("one digit of the day", {"birth_date": date(1941, 5, 4)}, ("birth_date", "one_digit"), "review"),
    ("another birthday", {"birth_date": date(1944, 8, 21)}, ("birth_date", "different"), "none"),
    ("another sex", {"sex_code": "1"}, ("sex", "different"), "review"),
    ("another state", {"state": "KY"}, ("state", "different"), "link"),
    ("another state and a misspelt name", {"state": "KY", "family_name": "KOWLASKI"}, ("state", "different"), "review"),
    ("two small errors", {"given_name": "RUTHIE", "family_name": "KOWALSKY"}, ("given_name", "similar"), "review"),
]


@pytest.mark.parametrize(("name", "change", "level", "verdict"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_pairs(name: str, change: dict[str, object], level: tuple[str, str], verdict: str) -> None:
    found = resemblance(RUTH, RUTH._replace(**change), POLICY)  # type: ignore[arg-type]
    assert level in {part[:2] for part in found.parts}, name
    assert found.verdict == verdict, found
    assert found.score == sum(part.weight for part in found.parts)


UNKNOWN: list[tuple[str, dict[str, object], str]] = [
    ("sex", {"sex_code": None}, "link"),
    ("state", {"state": None}, "link"),
    ("birth date", {"birth_date": None}, "review"),
    ("given name", {"given_name": ""}, "review"),
    ("family name", {"family_name": ""}, "review"),
    ("both names", {"given_name": "", "family_name": ""}, "none"),
    ("all but the names", {"birth_date": None, "sex_code": None, "state": None}, "none"),
]


@pytest.mark.parametrize(("name", "change", "verdict"), UNKNOWN, ids=[name for name, _, _ in UNKNOWN])
def test_what_is_not_known_adds_nothing_and_links_nobody_by_itself(
    name: str, change: dict[str, object], verdict: str
) -> None:
    found = resemblance(RUTH, RUTH._replace(**change), POLICY)  # type: ignore[arg-type]
    assert found.verdict == verdict, (name, found)
    fields = {part.field for part in found.parts}
    assert not fields & {"sex" if field == "sex_code" else field for field in change}


NAMES = st.text(st.sampled_from("ABDEILNORSTUÉ -'"), max_size=8)
PEOPLE = st.builds(
    known_as,
    NAMES,
    NAMES,
    st.one_of(st.none(), st.dates(date(1930, 1, 1), date(1932, 12, 31))),
    st.sampled_from(["0", "1", "2", None]),
    st.sampled_from(["OH", "KY", None]),
    st.just(POLICY),
)


@given(PEOPLE, PEOPLE)
def test_who_comes_first_does_not_matter(one: KnownAs, other: KnownAs) -> None:
    assert resemblance(one, other, POLICY) == resemblance(other, one, POLICY)


@given(PEOPLE, PEOPLE)
def test_nobody_is_linked_against_what_contradicts(one: KnownAs, other: KnownAs) -> None:
    found = resemblance(one, other, POLICY)
    levels = {part.field: part.level for part in found.parts}
    if found.verdict == "link":
        assert {"family_name", "given_name", "birth_date"} <= set(levels)
        assert "different" not in {levels.get(field) for field in ("given_name", "sex")}
        assert levels["birth_date"] == "exact"
        assert found.score >= POLICY.link


@given(PEOPLE)
def test_whoever_is_compared_with_themselves_agrees_in_everything_known(one: KnownAs) -> None:
    assert {part.level for part in resemblance(one, one, POLICY).parts} <= {"exact", "same"}


@pytest.mark.parametrize("day", [date(1000, 1, 1), date(1900, 1, 1), date(9999, 12, 31)])
def test_a_placeholder_is_no_birth_date(day: date) -> None:
    assert known_as("A", "B", day, "0", "", POLICY) == KnownAs("A", "B", None, None, None)


FORMS = [
    ("O'Brien", "OBRIEN"),
    ("O\u2019Brien", "OBRIEN"),
    ("Müller", "MULLER"),
    ("Weiß", "WEISS"),
    ("Garcia-Lopez", "GARCIALOPEZ"),
    ("garcia lopez", "GARCIALOPEZ"),
    ("Smith, Jr.", "SMITH"),
    ("Smith III", "SMITH"),
    ("JR", "JR"),
    ("  ", ""),
    (None, ""),
    ("Given123", "GIVEN123"),
    ("...", ""),
]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_form_of_a_name(name: str | None, form: str) -> None:
    assert name_form(name) == form


SOUNDS = [
    ("ROBERT", "R163"),
    ("RUPERT", "R163"),
    ("ASHCRAFT", "A261"),
    ("TYMCZAK", "T522"),
    ("PFISTER", "P236"),
    ("HONEYMAN", "H555"),
    ("LEE", "L000"),
    ("", ""),
]


@pytest.mark.parametrize(("form", "sound"), SOUNDS)
def test_the_sound_of_a_name_is_that_of_the_national_archives(form: str, sound: str) -> None:
    assert sound_of(form) == sound


TEXT = files("services.intake.policy").joinpath("record_linkage.toml").read_text(encoding="utf-8")
UNSOUND = [
    ("a threshold upside down", "review = 18_000", "review = 30_000"),
    ("a probability above one", "same = [0.99, 0.5]", "same = [1.5, 0.5]"),
    ("a probability of nothing", "same = [0.99, 0.5]", "same = [0.99, 0.0]"),
    ("no source", 'source = "Own estimate after Winkler (1990)"', 'source = ""'),
    ("no status", 'status = "unconfirmed"', 'status = "believed"'),
]


@pytest.mark.parametrize(("name", "before", "after"), UNSOUND, ids=[name for name, _, _ in UNSOUND])
def test_an_unsound_policy_is_refused(name: str, before: str, after: str) -> None:
    assert before in TEXT, name
    with pytest.raises(PolicyError):
        policy_of(TEXT.replace(before, after))


def test_thresholds_are_what_the_file_says() -> None:
    assert replace(POLICY) == policy_of(TEXT)
    assert 0 < POLICY.review < POLICY.link
