"""Where stillwatch is tried out: populations and adversaries to simulate, and the report card of a scan."""
