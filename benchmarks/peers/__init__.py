"""What the feed server is measured against: each does the fan-out alone, as well as it can."""
