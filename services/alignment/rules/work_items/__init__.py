"""What is worth somebody's work, from what is known of one person."""
