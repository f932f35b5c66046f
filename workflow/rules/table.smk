"""Results tables, and their plots and pictures."""
