"""The one module that imports the pinned ``hccinfhir``; everything of it that is used stands here.

Only its pure steps and its file loaders are used. Its claim parsers print data to standard output, and its way from a
person to the factors of a segment gives 0.0 where it does not know one: neither is taken over.
"""

import warnings

with warnings.catch_warnings():
    # On import the library reads its own files in a way that newer Pythons call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    # Its own whole way, which tests and benchmarks compare with; nothing else calls it.
    from hccinfhir.model_calculate import calculate_raf
    from hccinfhir.model_demographics import categorize_demographics
    from hccinfhir.model_edits import apply_edits
    from hccinfhir.model_hierarchies import apply_hierarchies
    from hccinfhir.model_interactions import (
        create_demographic_interactions,
        create_disease_interactions,
        create_dual_interactions,
        create_hcc_counts,
        get_diagnostic_categories,
    )
    from hccinfhir.utils import (
        load_coefficients,
        load_dx_to_cc_mapping,
        load_edits,
        load_hierarchies,
        load_labels,
        load_proc_filtering,
    )

__all__ = [
    "apply_edits",
    "apply_hierarchies",
    "calculate_raf",
    "categorize_demographics",
    "create_demographic_interactions",
    "create_disease_interactions",
    "create_dual_interactions",
    "create_hcc_counts",
    "get_diagnostic_categories",
    "load_coefficients",
    "load_dx_to_cc_mapping",
    "load_edits",
    "load_hierarchies",
    "load_labels",
    "load_proc_filtering",
]
