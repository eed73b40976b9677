"""One walk: a project's steps, what each was made from, and which of them have to run again."""
