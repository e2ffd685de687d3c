"""Runners of the vectors, see `tests.vector_cases`."""
