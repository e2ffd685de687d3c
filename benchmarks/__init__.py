"""Measurements: figures with their spread, and ratios to a bare limit of the same run."""
