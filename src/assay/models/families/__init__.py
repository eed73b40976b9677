"""Model families: what can be trained, one a file."""
