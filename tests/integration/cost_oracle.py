"""Every figure of cost shift out of the delivered files: one pass of DuckDB over the raw lines, as known at each delivery.

Shares no code with any service: positions, code lists and definitions (docs/architecture.md, docs/cost-shift.md) are written out again. A figure
as of a delivery is worked out from what the files up to it say, never from differences; only why a figure moved is found by comparing two deliveries.
"""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from cost_files import LEVELS, People, dated

_CODES = """
CREATE TABLE medicare_category AS SELECT * FROM (VALUES ('60', 'inpatient'), ('61', 'inpatient'), ('40', 'outpatient'),
    ('20', 'skilled_nursing_facility'), ('30', 'skilled_nursing_facility'), ('10', 'home_health'), ('50', 'hospice'),
    ('71', 'physician'), ('72', 'durable_medical_equipment'), ('81', 'durable_medical_equipment'),
    ('82', 'durable_medical_equipment')) AS codes (kind, category);
CREATE TABLE file_category AS SELECT * FROM (VALUES ('IP', 'inpatient'), ('LT', 'nursing_facility'), ('RX', 'drugs'))
    AS codes (file_type, category);
CREATE TABLE service_category AS SELECT * FROM (VALUES ('002', 'outpatient'), ('012', 'physician'), ('016', 'home_health'),
    ('017', 'home_health'), ('018', 'home_health'), ('051', 'home_and_community'), ('053', 'behavioural_health'))
    AS codes (service, category);
CREATE TABLE emergency AS SELECT unnest(['0450', '0451', '0452', '0456', '0459', '0981']) AS revenue;
"""
_RAW = """
CREATE TABLE raw_line AS
SELECT regexp_extract(filename, '/(\\d+)/[^/]*$', 1)::BIGINT AS seq, regexp_extract(filename, '\\.ZC(.)Y', 1) AS file,
    unnest(string_split(content, chr(10))) AS line
FROM read_text(getvariable('files') || '/*/*.ZC*');
CREATE TABLE header AS SELECT regexp_extract(filename, '/(\\d+)/', 1)::BIGINT AS seq, regexp_extract(filename, 'TMSIS_(..)_', 1)
    AS file_type, * FROM read_csv(getvariable('files') || '/*/TMSIS_*_HEADER.csv', all_varchar = true, header = true,
    filename = true, union_by_name = true);
CREATE TABLE line AS SELECT regexp_extract(filename, '/(\\d+)/', 1)::BIGINT AS seq, *
    FROM read_csv(getvariable('files') || '/*/TMSIS_*_LINE.csv', all_varchar = true, header = true, filename = true,
    union_by_name = true);
"""
# A record that comes again is the same record: what it says is known from the delivery that brought it first.
_MEDICARE = """
CREATE TABLE part_a AS SELECT line[1:13] AS record, 'mbi:' || line[20:30] AS ident, line[42:43] AS kind,
    line[44:53]::DATE AS first, line[54:63]::DATE AS last, trim(line[80:81]) <> '' AS denied,
    round(trim(line[82:98])::DECIMAL(15, 2) * 100)::BIGINT AS cents, line[102:103] AS status, line[149] = '1' AS withdrawn,
    replace(line[151:170], '-', '')::HUGEINT AS version, min(seq) AS seq FROM raw_line WHERE file = '1' AND line <> '' GROUP BY ALL;
CREATE TABLE part_b AS SELECT DISTINCT line[1:13] AS record, line[14:23] AS number, 'mbi:' || line[24:34] AS ident, line[46:47] AS kind,
    line[58:67]::DATE AS last, line[88:97]::DATE AS line_last, trim(line[146:147]) IN ('0', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'P', 'Q',
        'T', 'U', 'V', 'X', 'Y') AS denied, trim(line[148:149]) NOT IN ('', 'A', 'R', 'S') AS line_denied,
    round(trim(line[103:117])::DECIMAL(15, 2) * 100)::BIGINT AS cents, line[150] = '1' AS withdrawn,
    replace(line[152:171], '-', '')::HUGEINT AS version, min(seq) AS seq FROM raw_line WHERE file = '5' AND line <> '' GROUP BY ALL;
CREATE TABLE emergency_claim AS SELECT DISTINCT line[1:13] AS record FROM raw_line
    WHERE file = '2' AND line[68:71] IN (SELECT revenue FROM emergency);
"""
_MEDICAID = """
CREATE TABLE medicaid AS SELECT ICN_ORIG AS record, (ADJDCTN_DT || CASE ADJSTMT_IND WHEN '0' THEN '0' WHEN '4' THEN '1' ELSE '2' END)::HUGEINT
        AS version, seq, 'medicaid:' || MSIS_IDENT_NUM AS ident, file_type, ICN_ADJ AS adjustment, CLM_TYPE_CD AS kind,
    ADJSTMT_IND = '1' AS withdrawn, CLM_DND_IND = '0' OR ADJSTMT_IND = '1' AS nothing, XOVR_IND = '1' AS crossover,
    strptime(SRVC_BGNNG_DT, '%Y%m%d')::DATE AS first, strptime(SRVC_ENDG_DT, '%Y%m%d')::DATE AS last,
    round(TOT_MDCD_PD_AMT::DECIMAL(15, 2) * 100)::BIGINT AS cents,
    CASE WHEN CLM_TYPE_CD IN ('1', 'A') THEN 'both' WHEN CLM_TYPE_CD IN ('3', 'C') THEN 'services'
        WHEN CLM_TYPE_CD IN ('2', 'B', 'V') THEN 'capitation' ELSE 'outlay' END AS basis FROM header;
CREATE TABLE medicaid_line AS SELECT claim.record, claim.version, LINE_NUM::INT AS number, TOS_CD AS service, REV_CD AS revenue,
    PRCDR_CD AS procedure, LINE_DND_IND = '0' AS denied, strptime(LINE_SRVC_BGNNG_DT, '%Y%m%d')::DATE AS first,
    strptime(LINE_SRVC_ENDG_DT, '%Y%m%d')::DATE AS last,
    round(CASE WHEN coalesce(MDCD_PD_AMT, '') IN ('', '888888888.88') THEN '0' ELSE MDCD_PD_AMT END::DECIMAL(15, 2) * 100)::BIGINT AS cents,
    CASE WHEN claim.basis = 'capitation' THEN 'capitation' WHEN file_type <> 'OT' THEN file_category.category
        WHEN WVR_BNFT_IND = 'Y' THEN 'home_and_community' ELSE coalesce(service_category.category, 'other') END AS category
    FROM line JOIN medicaid claim ON claim.record = ICN_ORIG AND claim.adjustment IS NOT DISTINCT FROM ICN_ADJ AND claim.seq = line.seq
    LEFT JOIN file_category USING (file_type) LEFT JOIN service_category ON service_category.service = TOS_CD;
"""
# Cents and counts of one version of one claim by category and service month; "use" counts how often, in a category of its own.
_PARTS = """
CREATE TABLE version AS
    SELECT 'medicare' AS payer, record, version, min(seq) AS seq, any_value(ident) AS ident, bool_or(withdrawn) AS withdrawn
    FROM (SELECT record, version, seq, ident, withdrawn FROM part_a UNION ALL SELECT record, version, seq, ident, withdrawn FROM part_b)
    GROUP BY ALL
    UNION ALL SELECT 'medicaid', record, version, seq, ident, withdrawn FROM medicaid;
CREATE TABLE paid_by_line AS SELECT record, version FROM medicaid claim WHERE cents = (
    SELECT sum(line.cents) FROM medicaid_line line WHERE NOT line.denied AND (line.record, line.version) = (claim.record, claim.version));
CREATE TABLE part AS
WITH said (payer, record, version, category, crossover, basis, last, cents, claims) AS (
    SELECT 'medicare', record, version, coalesce(category, 'other'), false, 'both', last,
        CASE WHEN withdrawn THEN -cents ELSE cents END, CASE WHEN withdrawn THEN -1 ELSE 1 END
    FROM part_a LEFT JOIN medicare_category USING (kind) WHERE NOT denied
    UNION ALL
    SELECT 'medicare', record, version, category, false, 'both', line_last, CASE WHEN withdrawn THEN -cents ELSE cents END, 0
    FROM part_b JOIN medicare_category USING (kind) WHERE NOT denied AND NOT line_denied
    UNION ALL
    SELECT DISTINCT 'medicare', record, version, category, false, 'both', last, 0, CASE WHEN withdrawn THEN -1 ELSE 1 END
    FROM part_b JOIN medicare_category USING (kind) WHERE NOT denied
    UNION ALL
    SELECT 'medicaid', record, version, line.category, crossover, basis, line.last, line.cents, 0
    FROM medicaid_line line JOIN medicaid claim USING (record, version) SEMI JOIN paid_by_line USING (record, version)
    WHERE NOT nothing AND NOT line.denied
    UNION ALL
    SELECT 'medicaid', record, version, (SELECT arg_min(line.category, number) FROM medicaid_line line
            WHERE (line.record, line.version) = (claim.record, claim.version)), crossover, basis, last,
        CASE WHEN (record, version) IN (SELECT (record, version) FROM paid_by_line) THEN 0 ELSE cents END, 1
    FROM medicaid claim WHERE NOT nothing
), used (payer, record, version, category, crossover, last, amount) AS (
    SELECT 'medicare', record, version, CASE WHEN kind IN ('60', '61') THEN 'admissions' WHEN kind IN ('20', '30') THEN 'skilled_nursing_days'
            WHEN kind = '10' THEN 'home_health_periods' WHEN record IN (SELECT record FROM emergency_claim) THEN 'emergency_visits' END,
        false, last, CASE WHEN withdrawn THEN -1 ELSE 1 END
            * CASE WHEN kind IN ('20', '30') THEN date_diff('day', first, last) + (status = '30')::INT ELSE 1 END
    FROM part_a WHERE NOT denied AND kind IN ('60', '61', '20', '30', '10', '40')
    UNION ALL
    SELECT 'medicaid', record, version, CASE file_type WHEN 'IP' THEN 'admissions' ELSE 'nursing_facility_days' END, crossover, last,
        CASE file_type WHEN 'IP' THEN 1 ELSE date_diff('day', first, last) + 1 END
    FROM medicaid WHERE file_type IN ('IP', 'LT') AND NOT nothing AND basis IN ('both', 'services')
    UNION ALL
    SELECT 'medicaid', record, version, kind.use, crossover, claim.last, count(DISTINCT kind.day)
    FROM medicaid claim JOIN medicaid_line line USING (record, version), LATERAL (
        SELECT 'home_health_periods' AS use, DATE '2000-01-01' AS day WHERE line.service IN ('016', '017', '018')
        UNION ALL SELECT 'emergency_visits', DATE '2000-01-01' WHERE line.revenue IN (SELECT revenue FROM emergency)
        UNION ALL SELECT 'personal_care_days', unnest(generate_series(line.first, line.last, INTERVAL 1 DAY))::DATE
            WHERE line.procedure IN ('T1019', 'T1020', 'S5125', 'S5126')
    ) AS kind WHERE file_type = 'OT' AND NOT nothing AND NOT line.denied AND basis IN ('both', 'services') GROUP BY ALL
)
SELECT payer, record, version, category, crossover, basis, strftime(last, '%Y-%m') AS month, sum(cents)::BIGINT AS cents,
    sum(claims)::BIGINT AS claims FROM said GROUP BY ALL HAVING sum(cents) <> 0 OR sum(claims) <> 0
UNION ALL
SELECT payer, record, version, category, crossover, 'use', strftime(last, '%Y-%m'), 0, amount FROM used
    WHERE category IS NOT NULL AND amount <> 0;
"""
# As known at each delivery: which version of a claim stands, whose it is, and where that person's month counts.
_LOCATED = """
    SELECT pair.seq, pair.payer, pair.record, pair.version, person.root, coalesce(place.cohort, 'unassigned') AS cohort, coalesce(place.entity, '') AS entity,
        coalesce(place.county, '') AS county, coalesce(place.dual, '') AS dual, part.* EXCLUDE (payer, record, version)
    FROM {pairs} AS pair JOIN part USING (payer, record, version) JOIN version AS told USING (payer, record, version)
    JOIN person ON person.ident = told.ident AND person.seq = pair.{when}
    LEFT JOIN place ON (place.root, place.month) = (person.root, part.month) AND place.seq = pair.{when}
"""
_AS_KNOWN = """
CREATE TABLE standing AS
    SELECT delivery.seq, payer, record, max(version.version) AS version FROM delivery JOIN version ON version.seq <= delivery.seq GROUP BY ALL;
CREATE TABLE person AS
    SELECT delivery.seq, ident, arg_max(root, who.seq) AS root FROM delivery JOIN who ON who.seq <= delivery.seq GROUP BY ALL;
CREATE TABLE place AS
    SELECT delivery.seq, placed.* EXCLUDE (seq) FROM delivery JOIN placed ON placed.seq <= delivery.seq
    QUALIFY row_number() OVER (PARTITION BY delivery.seq, root, month ORDER BY placed.seq DESC) = 1;
CREATE TABLE counted AS
    SELECT seq, cohort, entity, county, month, count(*) AS person_months FROM place WHERE cohort IS NOT NULL GROUP BY ALL;
CREATE TABLE cost AS {standing_now};
CREATE TABLE cell AS
    SELECT seq, cohort, entity, county, payer, category, crossover, basis, month, sum(cents)::BIGINT AS cents, sum(claims)::BIGINT AS claims
    FROM cost GROUP BY ALL HAVING sum(cents) <> 0 OR sum(claims) <> 0;
"""
# What stood before is first counted where it counts now, for a reason of people; then claims that came in go where they count now.
_WHY = """
CREATE TABLE before AS SELECT delivery.seq, prior, payer, record, version
    FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS prior FROM delivery) AS delivery JOIN standing ON standing.seq = prior;
CREATE TABLE was AS {before_then};
CREATE TABLE stays AS {before_now};
CREATE TABLE replaced AS SELECT now.seq, now.payer, now.record, old.version AS old, now.version AS new,
        CASE WHEN told.withdrawn THEN 'cancellations' ELSE 'claims' END AS cause
    FROM standing now LEFT JOIN before old USING (seq, payer, record)
    JOIN version told ON (told.payer, told.record, told.version) = (now.payer, now.record, now.version)
    WHERE old.version IS DISTINCT FROM now.version;
CREATE TABLE moved AS
    WITH changed AS (
        SELECT was, stays, CASE WHEN was.root <> stays.root THEN 'alignment'
            WHEN (was.cohort, was.entity) = (stays.cohort, stays.entity) THEN 'residence'
            WHEN was.cohort = 'unassigned' OR was.dual = '' OR stays.dual = '' THEN 'alignment'
            WHEN (SELECT level FROM level WHERE dual = was.dual) <> (SELECT level FROM level WHERE dual = stays.dual) THEN 'dual_status'
            ELSE 'alignment' END AS cause
        FROM was JOIN stays USING (seq, payer, record, version, category, crossover, basis, month)
        WHERE (was.cohort, was.entity, was.county) <> (stays.cohort, stays.entity, stays.county) OR was.root <> stays.root
    ), change AS (
        SELECT cause, -1 AS sign, unnest(was) FROM changed UNION ALL SELECT cause, 1, unnest(stays) FROM changed
        UNION ALL SELECT cause, -1, stays.* FROM stays JOIN replaced USING (seq, payer, record)
        UNION ALL SELECT cause, 1, cost.* FROM cost JOIN replaced USING (seq, payer, record)
    )
    SELECT seq, cause, cohort, entity, county, payer, category, crossover, basis, month, sum(sign * cents)::BIGINT AS cents,
        sum(sign * claims)::BIGINT AS claims
    FROM change GROUP BY ALL HAVING sum(sign * cents) <> 0 OR sum(sign * claims) <> 0;
"""

Figures = dict[tuple[Any, ...], tuple[Any, ...]]


class Delivered(NamedTuple):
    """A file and the number under which it was taken."""

    sequence: int
    path: Path


class CostOracle:
    """What files say of costs. ``folder`` is for what is unpacked from them."""

    def __init__(self, deliveries: Sequence[Delivered], folder: Path) -> None:
        self.people = People()
        self.deliveries = deliveries
        for one in deliveries:
            _unpack(one, folder)
            self.people.read(one.sequence, one.path)
        self.database = duckdb.connect(config={"threads": "1"})
        self.database.execute(f"SET VARIABLE files = '{folder}'")
        for statement in (_CODES, _RAW, _MEDICARE, _MEDICAID, _PARTS):
            self.database.execute(statement)
        self._fill(
            "delivery", "seq BIGINT, dated VARCHAR", [(one.sequence, dated(one.path.name)) for one in deliveries]
        )
        self._fill("who", "seq BIGINT, ident VARCHAR, root BIGINT", self.people.who)
        self._fill(
            "placed", "seq BIGINT, root BIGINT, month VARCHAR, cohort VARCHAR, entity VARCHAR, county VARCHAR, dual VARCHAR",
            self.people.placed,
        )  # fmt: skip
        self._fill("level", "dual VARCHAR, level VARCHAR", LEVELS.items())
        self.database.execute(_AS_KNOWN.replace("{standing_now}", _LOCATED.format(pairs="standing", when="seq")))
        why = _WHY
        placed = {
            "{before_then}": _LOCATED.format(pairs="before", when="prior"),
            "{before_now}": _LOCATED.format(pairs="before", when="seq"),
        }
        for mark, located in placed.items():
            why = why.replace(mark, located)
        self.database.execute(why)

    def _fill(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.database.execute(f"CREATE TABLE {table} ({columns})")
        listed = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join(f"unnest(${number})" for number in range(1, len(listed) + 1))
        self.database.execute(f"INSERT INTO {table} SELECT {marks}", listed)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.execute(statement, list(values)).fetchall()


def _unpack(one: Delivered, folder: Path) -> None:
    if zipfile.is_zipfile(one.path):
        with zipfile.ZipFile(one.path) as archive:
            archive.extractall(folder / str(one.sequence))
