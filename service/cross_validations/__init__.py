"""Cross-validations: one training a fold, each judged on the rows that it has not seen."""
