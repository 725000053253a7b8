"""Papers in: collected, looked up again, imported, summed up."""
