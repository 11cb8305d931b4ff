"""`python -m g6.cli` is `g6`."""

import sys

from g6.cli import main

sys.exit(main())
