"""What to ask the market for, and whether the answer is usable. Knows the Protocol, never which vendor."""
