"""One driver for each framework, imported when it is asked for."""
