"""One minute: from the question to the stored, valued chain. `unified_main` orders the minutes."""
