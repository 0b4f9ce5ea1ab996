"""The nouns: records that hold what was seen, and compute nothing."""
