"""Quotewire's dashboard: a Panel app whose live data goes from the feed straight to the browser."""
