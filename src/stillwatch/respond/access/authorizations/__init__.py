"""Authorizations on record: who approved what for whom, when, how far, until when, and what became of it."""
