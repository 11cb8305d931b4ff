"""Zerodha Kite over its WebSocket, by the official ticker."""
