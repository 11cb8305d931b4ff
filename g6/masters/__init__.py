"""Weekday masters: what the total premium of a strike's place usually is at each minute of each weekday."""
