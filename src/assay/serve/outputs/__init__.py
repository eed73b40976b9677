"""Where answers also go: tables of others, and addresses that are told. Nothing waits for them."""
