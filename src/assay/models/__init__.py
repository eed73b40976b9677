"""What is possible: model families, their search with proving cost as an objective, and the front."""
