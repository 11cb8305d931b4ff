"""End-of-day verification: what a day should hold, what it holds, where its stores differ, and one score of it all.

`day.verify` reads a day once and gives a `result.Verification`:

1. which minutes, indices and expiries were to be collected   `expected`
2. the journal, or the archive after it, minute by minute     `recorded`
3. what no market does                                        `outliers`
4. gaps with their reasons, minutes and legs counted          `gaps`
5. the daily CSV files, value by value                        `csv_files`
6. other stores, by functions that are passed in              `result.Compare`, `patience` with those that lag
7. the score                                                  `score`

`text.as_text` is the report for a person, `report_file` keeps it as `<root>/verify/<day>.json`, and by it `holds` says
which days may not leave the disk.
"""
