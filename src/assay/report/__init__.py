"""5 report: what a project found, for people who decide and never ran it."""
