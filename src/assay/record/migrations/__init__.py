"""One file a version of the tables, never edited after a release."""
