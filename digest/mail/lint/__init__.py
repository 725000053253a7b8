"""Proofreading a mail before anybody gets it."""
