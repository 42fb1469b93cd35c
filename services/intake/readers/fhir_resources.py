"""The parts of FHIR resources that are read, as the parser makes them: everything else is passed over unparsed.

One shape serves three generations (STU3, R4 and CMS's version 3): elements that only one of them has are empty in the
others. Numbers that are money or quantity stay the text they are written in. Source: HL7 FHIR STU3 and R4.
"""

from msgspec import Raw, Struct, field

NO_NUMBER = Raw()


class Coding(Struct, gc=False):
    """A code and the system that it is of."""

    system: str | None = None
    code: str | None = None


class Concept(Struct, gc=False):
    """A thing and the codes for it."""

    coding: list[Coding] = []


class Code(Struct, gc=False):
    """A code whose system does not matter."""

    code: str | None = None


class Category(Struct, gc=False):
    """What kind of thing it is."""

    coding: list[Code] = []


class Amount(Struct, gc=False):
    """Money."""

    value: Raw = NO_NUMBER


class Period(Struct, gc=False):
    """From a day to a day."""

    start: str | None = None
    end: str | None = None


class Identifier(Struct, gc=False):
    """A number of something, and whose number it is."""

    system: str | None = None
    value: str | None = None
    type: Concept | None = None


class Extension(Struct, rename="camel", gc=False):
    """An element that FHIR itself does not have."""

    url: str = ""
    value_coding: Coding | None = None
    value_identifier: Identifier | None = None
    value_date: str | None = None
    value_string: str | None = None
    value_quantity: Amount | None = None


class Reference(Struct, gc=False):
    """Points to another resource, by address or by number."""

    reference: str | None = None
    identifier: Identifier | None = None
    extension: list[Extension] = []


class Quantity(Struct, gc=False):
    """How much."""

    value: Raw = NO_NUMBER
    extension: list[Extension] = []


class Meta(Struct, rename="camel", gc=False):
    """When the resource was last changed, and what it is marked as."""

    last_updated: str | None = None
    tag: list[Coding] = []


class Contained(Struct, rename="camel", gc=False):
    """A resource inside of another: a provider, or the patient."""

    resource_type: str | None = None
    id: str | None = None
    identifier: list[Identifier] = []


class Member(Struct, gc=False):
    """One of those who gave the care."""

    sequence: int | None = None
    provider: Reference | None = None
    role: Category | None = None
    qualification: Concept | None = None


class Information(Struct, rename="camel", gc=False):
    """A further statement about the claim."""

    category: Category | None = None
    code: Concept | None = None
    timing_date: str | None = None
    value_quantity: Amount | None = None


class Diagnosis(Struct, rename="camel", gc=False):
    """A diagnosis of the claim."""

    diagnosis_codeable_concept: Concept | None = None
    type: list[Category] = []
    package_code: Concept | None = None


class Procedure(Struct, rename="camel", gc=False):
    """A procedure of an institutional claim."""

    procedure_codeable_concept: Concept | None = None
    date: str | None = None


class Adjudication(Struct, gc=False):
    """An amount of a line or a claim, and what it is."""

    category: Category | None = None
    amount: Amount | None = None
    reason: Concept | None = None


class Detail(Struct, rename="camel", gc=False):
    """A part of a line: the drug that was dispensed."""

    product_or_service: Concept | None = None
    quantity: Quantity | None = None


class Item(Struct, rename="camel", gc=False):
    """A line of the claim."""

    sequence: int | None = None
    care_team_sequence: list[int] = []
    care_team_link_id: list[int] = []
    revenue: Concept | None = None
    product_or_service: Concept | None = None
    service: Concept | None = None
    serviced_period: Period | None = None
    serviced_date: str | None = None
    location_codeable_concept: Concept | None = None
    quantity: Quantity | None = None
    extension: list[Extension] = []
    adjudication: list[Adjudication] = []
    detail: list[Detail] = []


class Payment(Struct, gc=False):
    """What was paid for the claim."""

    amount: Amount | None = None


class Claim(Struct, rename="camel", gc=False):
    """A claim as submitted (Claim); what it has in common with the claim as adjudicated."""

    resource_type: str | None = None
    id: str | None = None
    meta: Meta | None = None
    identifier: list[Identifier] = []
    status: str | None = None
    use: str | None = None
    type: Concept | None = None
    created: str | None = None
    patient: Reference | None = None
    billable_period: Period | None = None
    extension: list[Extension] = []
    provider: Reference | None = None
    facility: Reference | None = None
    contained: list[Contained] = []
    care_team: list[Member] = []
    supporting_info: list[Information] = []
    diagnosis: list[Diagnosis] = []
    procedure: list[Procedure] = []
    item: list[Item] = []


class ExplanationOfBenefit(Claim, gc=False):
    """A claim as adjudicated."""

    outcome: str | None = None
    payment: Payment | None = None
    organization: Reference | None = None
    information: list[Information] = []
    total: list[Adjudication] = []


class ClaimResponse(Struct, rename="camel", gc=False):
    """How far a submitted claim has come."""

    resource_type: str | None = None
    id: str | None = None
    status: str | None = None
    outcome: str | None = None
    request: Reference | None = None
    extension: list[Extension] = []


class Name(Struct, gc=False):
    """A person's name."""

    family: str | None = None
    given: list[str] = []


class Address(Struct, gc=False):
    """Where a person lives; nothing finer than the state is read."""

    state: str | None = None


class PatientIdentifier(Struct, gc=False):
    """A number of a person, and from when to when it was theirs."""

    system: str | None = None
    value: str | None = None
    period: Period | None = None
    extension: list[Extension] = []


class Link(Struct, gc=False):
    """Another patient resource that is about the same person."""

    other: Reference | None = None
    type: str | None = None


class Patient(Struct, rename="camel", gc=False):
    """A person."""

    resource_type: str | None = None
    id: str | None = None
    meta: Meta | None = None
    extension: list[Extension] = []
    identifier: list[PatientIdentifier] = []
    name: list[Name] = []
    gender: str | None = None
    birth_date: str | None = None
    deceased_date_time: str | None = None
    address: list[Address] = []
    link: list[Link] = []


class CoverageClass(Struct, gc=False):
    """Which part of Medicare (R4)."""

    value: str | None = None


class Grouping(Struct, rename="camel", gc=False):
    """Which part of Medicare (STU3)."""

    sub_plan: str | None = None


class Coverage(Struct, rename="camel", gc=False):
    """One part of a person's Medicare coverage."""

    resource_type: str | None = None
    id: str | None = None
    meta: Meta | None = None
    extension: list[Extension] = []
    identifier: list[Identifier] = []
    status: str | None = None
    subscriber_id: str | None = None
    beneficiary: Reference | None = None
    period: Period | None = None
    grouping: Grouping | None = None
    classes: list[CoverageClass] = field(name="class", default_factory=list)


class Head(Struct, rename="camel", gc=False):
    """What tells a resource's type."""

    resource_type: str | None = None
    change_type: str | None = None
    claim: Raw = NO_NUMBER


class Entry(Struct, gc=False):
    """One resource of a bundle."""

    resource: Raw = NO_NUMBER


class Bundle(Struct, gc=False):
    """Resources that came together."""

    entry: list[Entry] = []
