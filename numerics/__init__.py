"""What it is worth: numbers, with their errors."""
