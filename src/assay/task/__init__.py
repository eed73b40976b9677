"""The question: what exists today, what is to be predicted, from what, how soon and at what cost."""
