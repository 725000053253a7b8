"""Mails that answer one person, rendered."""
