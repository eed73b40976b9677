"""Chain data: from logs and traces to typed columns, without gaps."""
