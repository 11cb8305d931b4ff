"""The operator's tools: who answers and what they may do, which expiries there are, what a stored minute holds.

Each check examines into one frozen report, whose `problems` are sentences that name their own remedy, and shows it;
`g6 check` chooses between the two forms and derives the exit code.
"""
