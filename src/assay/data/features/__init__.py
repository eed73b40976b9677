"""Features: what a row knows, and only what it could have known."""
