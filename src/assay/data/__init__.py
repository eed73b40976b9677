"""2 collect: from chain data and tables to the rows that models learn from."""
