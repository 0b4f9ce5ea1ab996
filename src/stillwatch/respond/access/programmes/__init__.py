"""On-ramps: programmes with easier access (education, start-ups, security research) and stricter conditions."""
