"""Weighted evidence that two accounts share an operator, one file per kind of link."""
