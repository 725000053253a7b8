"""Readers' libraries: read from what people bring, kept with their texts, what is missing looked up."""
