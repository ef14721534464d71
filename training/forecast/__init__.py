"""What the next horizon will bring, and how earlier forecasts did."""
