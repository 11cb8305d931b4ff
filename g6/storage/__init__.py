"""What was collected is kept here: the journal first, and every other store as a reader of it with its own cursor."""
