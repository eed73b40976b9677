"""What every room shares: errors, files that are whole or absent, the artefact envelope, hashing."""
