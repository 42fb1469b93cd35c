"""Grouping is the same whether it is done in memory or by way of disk."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.intake.readers.partitions import grouped

ROWS = st.lists(st.tuples(st.integers(0, 9), st.text(max_size=5)), max_size=1200)


@given(ROWS, st.integers(1, 9))
def test_every_group_is_whole_and_in_order(rows: list[tuple[int, str]], partitions: int) -> None:
    expected: dict[object, list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        expected[row[0]].append(row)
    found = list(grouped(rows, lambda row: row[0], size=partitions, largest=1))
    assert sorted(found) == sorted(expected.values())


def test_blocks_larger_than_one_write_come_back() -> None:
    rows = [(number % 3, number) for number in range(5_000)]
    groups = list(grouped(rows, lambda row: row[0], size=2, largest=1))
    assert sorted(len(group) for group in groups) == [1666, 1667, 1667]


def test_a_small_file_keeps_the_order_of_its_groups() -> None:
    assert list(grouped([(2, "a"), (1, "b"), (2, "c")], lambda row: row[0], size=10)) == [
        [(2, "a"), (2, "c")],
        [(1, "b")],
    ]
