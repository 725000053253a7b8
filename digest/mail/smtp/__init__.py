"""The pipelined SMTP client, its relays and its journal."""
