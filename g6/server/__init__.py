"""The one HTTP server of the agent: metrics for Prometheus, probes, a page for people."""

from g6.server.app import create_app
from g6.server.embedded import EmbeddedServer
from g6.server.state import PublishedState

__all__ = ["EmbeddedServer", "PublishedState", "create_app"]
