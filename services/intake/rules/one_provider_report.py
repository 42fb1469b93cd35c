"""All that one provider alignment report says about one person: its rows' participants together.

A report may have a row for every participant, and may name a person by an old and a new MBI.
"""

from collections.abc import Iterator, Sequence

from contracts.alignment import ProviderAlignmentReportedData

# As many as ProviderAlignmentReportedData takes.
MOST_NPIS = 200


def one_provider_report(rows: Sequence[ProviderAlignmentReportedData]) -> Iterator[ProviderAlignmentReportedData]:
    """The participants of all rows, each once, sorted; more than one statement only where one cannot hold them."""
    newest = rows[-1]
    bases = [row.basis for row in rows if row.basis is not None]
    npis = sorted({npi for row in rows for npi in row.npis})
    for start in range(0, len(npis), MOST_NPIS):
        share = tuple(npis[start : start + MOST_NPIS])
        yield newest.model_copy(update={"npis": share, "basis": bases[-1] if bases else None})
