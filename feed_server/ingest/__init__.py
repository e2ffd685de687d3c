"""From the source of market data to the bus."""
