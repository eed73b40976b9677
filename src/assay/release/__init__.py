"""What was decided, kept for ever: releases, which of them decides, and how one goes back."""
