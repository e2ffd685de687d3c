"""Everything that touches Redis: names, scripts, publishing, subscribing, last values, bars."""
