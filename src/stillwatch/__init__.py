"""stillwatch finds the bulk querying of a model that is done to train an imitation of it."""

__version__ = "0.1.0"

__all__ = ["__version__"]
