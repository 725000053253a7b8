"""Readers, subscriptions, suppressions and notices."""
