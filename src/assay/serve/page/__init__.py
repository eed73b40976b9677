"""The page: what a person at a browser sees of the service, rendered here, live by server-sent events."""
