"""Registers of owners: one file per format that they are published in."""
