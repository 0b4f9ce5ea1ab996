"""Where profiles are computed: embedded by default, a distributed engine by URL."""

from stillwatch.detect.profiles.engine.port import Engine, open_engine

__all__ = ["Engine", "open_engine"]
