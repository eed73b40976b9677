"""Trees against recurrent networks on the same windows of the same rows: the page that a team asks for first."""
