"""Rows: from what people have to the words that are proven."""
