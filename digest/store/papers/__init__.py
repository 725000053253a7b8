"""Papers, their signals, and search."""
