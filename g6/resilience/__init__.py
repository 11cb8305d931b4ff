"""What to do when a call fails: deadline, limiter, retry, breaker. Knows failure, and nothing of options.

An `Endpoint` puts them together as `retry(breaker(limiter(call)))` and counts. Pacing, waits and the budget run on
the injected clock, so a virtual day goes as fast as its work; only a hanging call is given up in real seconds.
"""
