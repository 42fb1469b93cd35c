"""What the newest alignment reports say about a month.

Source: GPDC participation agreement, "Beneficiary Alignment Data": each monthly report says anew who is aligned and
who was removed, so it replaces, for its entity, what older reports said about the person.
"""

from dataclasses import replace

from services.alignment.rules.known_month import Stated, Verdict
from services.alignment.statements import AlignedSpan, Fact


class Reports:
    """The newest report of each entity about one person."""

    def __init__(self) -> None:
        self._newest: dict[str, Fact] = {}
        self._newest_first: list[Fact] = []

    def add(self, fact: Fact) -> None:
        """Take a report in, unless a newer one of its entity is there."""
        entity = fact.entity_id or ""
        there = self._newest.get(entity)
        if there is None or _newness(there) <= _newness(fact):
            self._newest[entity] = fact if there is None else _together(there, fact)
            self._newest_first = sorted(self._newest.values(), key=_newness, reverse=True)

    def with_one_more(self, fact: Fact) -> "Reports":
        """Give these reports and one more, leaving these as they are."""
        more = Reports()
        more._newest, more._newest_first = dict(self._newest), self._newest_first
        more.add(fact)
        return more

    def reach_of(self, fact: Fact, months: range) -> set[int]:
        """Months of ``months`` of which a report not yet added says something else."""
        more = self.with_one_more(fact)
        return {month for month in self._candidates(fact, months) if more.verdict(month)[:6] != self.verdict(month)[:6]}

    def _candidates(self, fact: Fact, months: range) -> range:
        there = self._newest.get(fact.entity_id or "")
        if there is None or len(self._newest) > 1 or there.aligned != fact.aligned:
            return months
        # Month after month the same spans: only months that the newer report is the first to reach are said anew.
        reached = sorted((there.report_month or 0, fact.report_month or 0))
        return range(max(months.start, reached[0] + 1), min(months.stop, reached[1] + 1))

    def verdict(self, month: int) -> Verdict:
        """Say what holds for a month: the newest report that aligns it, else the newest of all."""
        if not self._newest:
            return _UNREPORTED
        verdicts = [_of(fact, month) for fact in self._newest_first]
        claims = [verdict for verdict in verdicts if verdict.kind == "aligned"]
        chosen = (claims or verdicts)[0]
        return chosen if len(claims) <= 1 else chosen._replace(claimed_by_others=True)


_UNREPORTED = Verdict("unreported")


def _together(there: Fact, fact: Fact) -> Fact:
    """A newer report alone; two parts of one, about people who turned out to be one, as what it says of them."""
    if _newness(there) != _newness(fact):
        return fact
    spans = dict.fromkeys((*there.aligned, *fact.aligned))
    return replace(fact, aligned=tuple(sorted(spans, key=_order)))


def _order(span: AlignedSpan) -> tuple[int, bool, int]:
    return span.first, span.last is None, span.last or 0


def _newness(fact: Fact) -> tuple[int, int, int, str]:
    return (fact.report_month or 0, fact.stated_on, fact.sequence, fact.entity_id or "")


def _of(report: Fact, month: int) -> Verdict:
    stated = Stated("", report.source, report.stated_on)
    reported = report.report_month or 0
    ended = [span for span in report.aligned if span.last is not None and span.last < month]
    covering = next((span for span in report.aligned if _covers(span, month)), None)
    last = report.aligned[-1]
    if covering is not None and month <= reported:
        returns = bool(ended) and covering.first == month
        return Verdict("aligned", report.entity_id, returns=returns, stated=stated)
    if month > reported and last.last is None and last.first <= month:
        return Verdict("ongoing", report.entity_id, stated=stated)
    if ended:
        gone = ended[-1]
        leaves = gone.last is not None and gone.last + 1 == month
        return Verdict("removed", report.entity_id, gone.removal_reason, leaves=leaves, stated=stated)
    # A closed span that reaches beyond the report's own month is not yet an answer for those months.
    return Verdict("before", report.entity_id, stated=stated)


def _covers(span: AlignedSpan, month: int) -> bool:
    return span.first <= month and (span.last is None or month <= span.last)
