"""The nouns that rooms pass to one another. numpy and the standard library only."""
