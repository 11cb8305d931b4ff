"""What a person sees in a terminal: the startup lines, the minute's table, the log."""
