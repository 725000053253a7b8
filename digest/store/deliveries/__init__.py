"""The outbox: rows claimed, sent, recorded."""
