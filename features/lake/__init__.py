"""The lake: touchpoints as Parquet, for what outgrows a database."""
