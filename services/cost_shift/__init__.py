"""Medicare and Medicaid dollars of the same people, side by side, as known at every delivery."""
