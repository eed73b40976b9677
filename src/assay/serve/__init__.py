"""Answers in production: durable from the request to the final block, proven by workers, served by an endpoint."""
