-- Why a figure stayed: causes of one revision that cancel out in one figure and not in a sum of several. What was published before gets them too.
INSERT INTO restatement
    (state, entity, cohort, payer, category, month, revision, cause, cents, claims, crossover_cents, crossover_claims)
SELECT state, entity, cohort, payer, category, month, published.revision, cause, sum(cents), sum(claims),
    coalesce(sum(cents) FILTER (WHERE crossover), 0), coalesce(sum(claims) FILTER (WHERE crossover), 0)
FROM cell_delta CROSS JOIN LATERAL (
    SELECT min(revision.sequence) AS revision FROM revision WHERE revision.sequence >= cell_delta.sequence
) AS published
WHERE published.revision IS NOT NULL
    AND (basis IN ('services', 'both') OR (category = 'capitation' AND basis = 'outlay'))
GROUP BY state, entity, cohort, payer, category, month, published.revision, cause
HAVING sum(cents) <> 0 OR sum(claims) <> 0 OR coalesce(sum(cents) FILTER (WHERE crossover), 0) <> 0
    OR coalesce(sum(claims) FILTER (WHERE crossover), 0) <> 0
ON CONFLICT DO NOTHING;
