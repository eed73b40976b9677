"""The command `assay`: one command a file; each parses, calls a room, prints."""
