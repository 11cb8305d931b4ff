"""Settings in layers: command line, environment, file, the provider's defaults, defaults.

`config/g6.schema.json` is the one source of keys, defaults, limits and explanations; nothing is repeated here.
`load` reads and checks every layer and gives `Settings`, or a `ConfigError` that names every problem at once.
"""

from g6.settings.loading import Argument, load
from g6.settings.sections import Depth, Settings
from g6.settings.shipped import shipped

__all__ = ["Argument", "Depth", "Settings", "load", "shipped"]
