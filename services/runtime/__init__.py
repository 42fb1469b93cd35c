"""What every service stands on. Knows topics and events, transactions and positions; knows no healthcare."""
