"""What a policy file may say, what is refused, and what holds in a month."""

import pytest

from services.runtime.policy import PolicyError, in_force, parameters_of

SAID = 'source = "somewhere"\nstatus = "confirmed"\n'


def test_an_entry_has_its_value_source_and_months() -> None:
    (one,) = parameters_of(f'[[parameters.years]]\nfrom = "2022-01"\nthrough = "2022-12"\nvalue = [1]\n{SAID}')
    assert (one.name, one.value, one.source, one.status) == ("years", [1], "somewhere", "confirmed")
    assert [one.holds_in(month) for month in ("2021-12", "2022-01", "2022-12", "2023-01")] == [False, True, True, False]


def test_an_entry_without_a_value_of_its_own_is_all_else_that_it_says() -> None:
    (one,) = parameters_of(f"[limits]\nshare = 5\nlines = 100\n{SAID}")
    assert one.value == {"share": 5, "lines": 100}


def test_what_holds_in_a_month_is_the_entry_of_that_month() -> None:
    entries = parameters_of(
        f'[[a]]\nfrom = "2021-01"\nthrough = "2021-12"\nvalue = 1\n{SAID}[[a]]\nfrom = "2022-01"\nvalue = 2\n{SAID}'
        f"[b]\nvalue = 3\n{SAID}"
    )
    found = {
        month: {name: one.value for name, one in in_force(entries, month).items()} for month in ("2021-06", "2030-01")
    }
    assert found == {"2021-06": {"a": 1, "b": 3}, "2030-01": {"a": 2, "b": 3}}


def test_a_month_may_be_named_by_its_first_day() -> None:
    (one,) = parameters_of(f'[a]\nfrom = "2022-01-01"\nvalue = 1\n{SAID}')
    assert one.first_month == "2022-01"
    with pytest.raises(PolicyError, match="from is no month"):
        parameters_of(f'[a]\nfrom = "2022-01-02"\nvalue = 1\n{SAID}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[a]\nvalue = 1\nstatus = "confirmed"\n', "a has no source"),
        ('[a]\nvalue = 1\nsource = " "\nstatus = "confirmed"\n', "a has no source"),
        ('[a]\nvalue = 1\nsource = "here"\n', "a has no status"),
        ('[a]\nvalue = 1\nsource = "here"\nstatus = "likely"\n', "a has no status"),
        (f"[a]\n{SAID}", "a has no value"),
        ("[a]\nvalue = 1\n", "a has no source and no status"),
        (f'[[a]]\nfrom = "2022-13"\nvalue = 1\n{SAID}', "from is no month"),
        (f'[[a]]\nthrough = "2022-12"\nvalue = 1\n{SAID}', "ends and never begins"),
        (f'[[a]]\nfrom = "2022-05"\nthrough = "2022-01"\nvalue = 1\n{SAID}', "a ends before it begins"),
        (
            f'[[a]]\nfrom = "2021-01"\nthrough = "2022-01"\nvalue = 1\n{SAID}[[a]]\nfrom = "2022-01"\nvalue = 2\n{SAID}',
            "a holds twice from 2022-01",
        ),
        (f'[[a]]\nfrom = "2021-01"\nvalue = 1\n{SAID}[[a]]\nfrom = "2023-01"\nvalue = 2\n{SAID}', "a holds twice from 2023-01"),
        (f"[[a]]\nvalue = 1\n{SAID}[[a]]\nvalue = 2\n{SAID}", "a holds twice from the beginning"),
        ("[a\n", "not TOML"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        parameters_of(text)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PolicyError, match=r"a has no source; b has no status"):
        parameters_of('[a]\nvalue = 1\nstatus = "confirmed"\n[b]\nvalue = 1\nsource = "here"\n')
