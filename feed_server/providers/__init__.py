"""Sources of market data, one file each behind `feed_server.providers.base.Provider`."""
