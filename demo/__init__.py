"""The main job in its small setting: from the question to a decision, and to a proof that a pool obeys."""
