"""Logs in, findings out."""
