"""What G6 tells Prometheus: the catalogue, the numbers of each minute, and the two pages they are read from."""
