"""Trending papers in your inbox once a day: sources → store → ranking → edition → render → outbox → delivery → feedback."""

import zoneinfo

zoneinfo.reset_tzpath(())  # time zones come from the package tzdata: the same on every machine, whatever it has of its own

__version__ = "0.1.0"
