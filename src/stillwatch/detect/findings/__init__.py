"""Evidence, calibration, false-discovery control, explanation, report."""
