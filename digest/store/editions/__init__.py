"""Editions, lists, and what an operator did to them."""
