"""What is out of the ordinary in a minute: found as it is collected, and told with its reason.

- `readings`      the watched numbers of a chain, and how they changed since a minute before, like for like
- `robust`        medians, scales and deviations that a few wild values do not move
- `usual`         the weekday masters as the expectation of the premium at a minute of the day
- `watch`         the online detector: a pure step from the minutes before to this one
- `together`      all measures of an index at once, against a model of the days before (needs scikit-learn)

A finding belongs to the minute's record, so every store has it from the journal. Nothing here asks the market.
"""
