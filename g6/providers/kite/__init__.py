"""Zerodha Kite over REST, by the official client."""
