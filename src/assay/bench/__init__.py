"""What proving a model costs on this machine: time, memory, sizes, and gas on a local Ethereum node."""
