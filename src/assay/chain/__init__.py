"""From a verifying key to a contract on an Ethereum chain: Solidity, compiler, local node, deployment."""
