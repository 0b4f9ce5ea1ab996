"""Links to clusters, and clusters to campaigns that are followed over time."""
