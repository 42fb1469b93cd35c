"""Risk scores with their trail, and tiers: CMS-HCC V24 and V28 from claims and coverage."""
