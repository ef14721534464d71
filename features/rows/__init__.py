"""What a row must be: the tables, their columns, and the rules that refuse a row with its reason."""
