"""What to do when a call fails: limiter, retry, breaker, deadline. Knows failure, and nothing of options."""
