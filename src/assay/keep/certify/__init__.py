"""Certificates: this committed model reaches this accuracy on these committed rows (release -> cert.json)."""
