"""Where quotes come from. One file per vendor; everything a vendor can raise is translated at the boundary, once."""
