"""A believable market that is a pure function of seed, instant and contract."""
