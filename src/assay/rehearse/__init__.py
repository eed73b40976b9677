"""Before it counts: a project's release, contracts and service on a local chain, with everything that goes wrong."""
