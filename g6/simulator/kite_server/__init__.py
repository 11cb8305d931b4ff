"""A local server that speaks Kite's wire, HTTP and WebSocket, with scripted faults."""
