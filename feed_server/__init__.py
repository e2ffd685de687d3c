"""The feed server: market data from a provider, through Redis, to browsers and notebooks."""
