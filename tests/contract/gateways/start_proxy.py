"""Start LiteLLM's proxy on the port that is given, with config.yaml of the working folder."""

import sys

from litellm.proxy.proxy_cli import run_server

run_server(["--config", "config.yaml", "--port", sys.argv[1], "--host", "127.0.0.1"])
