"""What each account did, hour by hour and day by day: small tables that merge, and all that detection reads."""
