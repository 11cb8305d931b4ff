"""Who holds and who trades what: the exchange's daily files by class of participant, and the cash of institutions.

- `days`            what one day says: contracts held or traded, rupees bought and sold
- `contracts_file`  the exchange's CSV of positions or volumes, with its faults
- `cash_file`       the cash flows, as its site's JSON and as CSV
- `recognise`       which of these a file is, or why it is none
- `derived`         net positions, ratios, changes from the day before
- `store`           `<data directory>/participants/`, one CSV file per kind
- `site`            asking the exchange, politely
- `taking`          files into the store: fetched ones and a person's
- `evening`         the same by itself, while the market is closed

Nothing of it comes out of a journal: what is lost here has to be fetched or imported again.
"""
