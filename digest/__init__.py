"""Trending papers in your inbox once a day: sources → store → ranking → edition → render → outbox → delivery → feedback."""

__version__ = "0.1.0"
