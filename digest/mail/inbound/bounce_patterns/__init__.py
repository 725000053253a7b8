"""The words that servers refuse with, as tables."""
