"""Fitting the model of what trends, and testing it on past mornings."""
