"""Tables: what a column may hold, how it is checked, hashed, sorted and computed with."""
