"""What is done to a data directory as a whole: rebuild its stores, import older files, copy it and put it back."""
