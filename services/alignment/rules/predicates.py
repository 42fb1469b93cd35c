"""Every predicate that a person's own facts can answer, in the order in which a decision shows them."""

from services.alignment.programme import Programme
from services.alignment.rules.a_and_b import a_and_b
from services.alignment.rules.alive import alive
from services.alignment.rules.full_dual import full_dual
from services.alignment.rules.in_our_mco import in_our_mco
from services.alignment.rules.known_month import Answer, KnownMonth
from services.alignment.rules.medicare_primary import medicare_primary
from services.alignment.rules.no_overlap import no_overlap
from services.alignment.rules.not_in_ma import not_in_ma
from services.alignment.rules.us_resident import us_resident

PREDICATES = (
    "A_AND_B",
    "NOT_IN_MA",
    "MEDICARE_PRIMARY",
    "US_RESIDENT",
    "ALIVE",
    "FULL_DUAL",
    "IN_OUR_MCO",
    "NO_OVERLAP",
)


def answers(known: KnownMonth, programme: Programme) -> dict[str, Answer]:
    """Ask all predicates of :data:`PREDICATES`."""
    entity = programme.entity_for(known.verdict.entity_id, known.state)
    found = (
        a_and_b(known),
        not_in_ma(known),
        medicare_primary(known),
        us_resident(known, programme.united_states),
        alive(known),
        full_dual(known),
        in_our_mco(known, entity),
        no_overlap(known),
    )
    return dict(zip(PREDICATES, found, strict=True))
