"""Clusters to findings: calibration on ordinary traffic, false-discovery control, explanation, report."""
