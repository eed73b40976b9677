"""What the families of networks share: their shapes, their training, their files."""
