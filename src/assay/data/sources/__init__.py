"""Where data comes from, one kind a file; each opens its source as tables."""
