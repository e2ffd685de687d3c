"""What prices mean: sessions, quotes and bars from trades. Pure; the clock is passed in."""
