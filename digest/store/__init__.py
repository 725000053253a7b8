"""The store: papers and signals, editions, readers and the outbox, in SQLite or PostgreSQL. Rows never leave this room."""
