"""What a minute is compared with: the trading day before, the day so far, and a year of daily values.

- `previous_day`  the last prices and the open interest that each leg ended the trading day before with
- `day_so_far`    the series and the opening values of the day in hand, taken up again from the journal after a restart
- `daily_series`  one row a day and index, kept in `<data directory>/daily/<INDEX>.csv` and made anew from recorded days
- `recollection`  the three together, as the minute asks for them

All of it comes out of what was recorded: nothing here is lost that the journal, or the archive, still has.
"""
