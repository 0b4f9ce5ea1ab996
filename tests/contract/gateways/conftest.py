"""A LiteLLM proxy before a stub model; one proxy for the session, because it takes half a minute to start."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.gateways import stub_model
from tests.unit.respond.decisions.serving import Client

MASTER_KEY = "sk-made-up-master-key-for-tests"
_PATIENCE_S = 240.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(
    command: list[str], folder: Path, ready_path: str, port: int, **environment: str
) -> Iterator[Client]:
    """Run a server until the end of the block."""
    log = (folder / f"{Path(command[1]).stem}-{port}.log").open("wb")
    path = os.pathsep.join(filter(None, [*(str(Path(one).resolve()) for one in sys.path if one)]))
    process = subprocess.Popen(
        command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path, **environment}
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}{ready_path}", Path(log.name))
        yield Client(port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a server of this test
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"it did not start:\n{log.read_text(errors='replace')[-4_000:]}")


@contextmanager
def proxy(folder: Path, config: dict[str, Any], **environment: str) -> Iterator[Client]:
    """Run LiteLLM's proxy with one model called m."""
    port = free_port()
    (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    command = [sys.executable, str(Path(__file__).with_name("start_proxy.py")), str(port)]
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    with running(command, folder, "/health/liveliness", port, **offline, **environment) as client:
        yield client


@contextmanager
def model(folder: Path) -> Iterator[Client]:
    """Run the stub model."""
    port = free_port()
    with running([sys.executable, str(stub_model.__file__), str(port)], folder, "/asked", port) as client:
        yield client


def config_for(model_url: str, **more: Any) -> dict[str, Any]:
    parameters = {"model": "hosted_vllm/m", "api_base": f"{model_url}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": "m", "litellm_params": parameters}],
        "general_settings": {"master_key": MASTER_KEY},
        "litellm_settings": {"telemetry": False, "drop_params": False},
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        **more,
    }
