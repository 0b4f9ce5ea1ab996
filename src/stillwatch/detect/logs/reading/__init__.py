"""What every log format shares: finding files, opening them, checking rows, keeping what was refused."""
