"""What proving a model costs, before it is trained."""
