"""Readers come, change and leave; their files, interests and limits."""
