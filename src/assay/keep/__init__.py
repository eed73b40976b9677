"""What keeps a service alive through the years: backups, and files that settle a dispute."""
