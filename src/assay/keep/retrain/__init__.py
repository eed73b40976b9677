"""A new model without a new risk: trained on what came since, judged on rows that nobody has seen, and taken back."""
