"""Client programs: what they call themselves, how their TLS handshake looks, and how they upgrade.

The programs are the usual open libraries with made-up version series, the JA4 values have the right shape and made-up
hashes. A handshake depends on the library and the platform under it, so it is shared by everybody who uses both, and it
changes with some upgrades only.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.chance import Indices, Keys

_PLATFORMS = ("linux", "macos", "windows", "alpine")
_PLATFORM_WEIGHTS = (62, 20, 12, 6)
_HISTORY_DAYS = 500  # of releases before the simulated period starts
_VERSIONS = 512  # versions known altogether
_NEVER = 1 << 20


@dataclass(frozen=True, slots=True)
class Library:
    """One client library or browser.

    Attributes:
        name: Short name, for scenarios.
        agent: User-agent text; `{major}`, `{minor}`, `{patch}` and `{platform}` are filled in.
        surface: `api`, `app`, `bedrock` or `vertex`.
        share: Weight among the users of that surface.
        cadence_days: Days between two versions.
        major: Major version at the start.
        tls: The TLS stack below it; libraries with one stack share handshakes.
        pinned: Share of users who never upgrade in the period.
    """

    name: str
    agent: str
    surface: str
    share: float
    cadence_days: float
    major: int
    tls: str
    pinned: float = 0.6


LIBRARIES: tuple[Library, ...] = (
    Library("sdk-python", "ModelSDK/Python {major}.{minor}.{patch}", "api", 38, 9, 1, "openssl"),
    Library("sdk-node", "ModelSDK/JS {major}.{minor}.{patch}", "api", 22, 10, 4, "node"),
    Library("httpx", "python-httpx/0.{minor}.{patch}", "api", 10, 50, 0, "openssl", 0.85),
    Library("requests", "python-requests/2.{minor}.{patch}", "api", 9, 60, 2, "openssl", 0.9),
    Library("aiohttp", "Python/3.1{patch} aiohttp/3.{minor}.1", "api", 4, 40, 3, "openssl-asyncio", 0.8),
    Library("axios", "axios/1.{minor}.{patch}", "api", 4, 30, 1, "node", 0.8),
    Library("go", "Go-http-client/2.0", "api", 4, 400, 2, "go"),
    Library("curl", "curl/8.{minor}.0", "api", 2, 55, 8, "curl", 0.9),
    Library("java", "Java-http-client/2{patch}.0.{minor}", "api", 2, 90, 2, "java", 0.9),
    Library("okhttp", "okhttp/4.{minor}.0", "api", 2, 90, 4, "okhttp", 0.9),
    Library("cli", "agent-cli/{major}.{minor}.{patch} (external, cli)", "api", 3, 2, 1, "node-undici", 0.25),
    Library("editor", "EditorAgent/{major}.{minor}.{patch}", "api", 3, 5, 2, "electron", 0.2),
    Library("chrome", "Mozilla/5.0 ({platform}) AppleWebKit/537.36 Chrome/1{minor}.0.0.0 Safari/537.36", "app", 60, 28, 1, "chrome", 0.1),
    Library("safari", "Mozilla/5.0 ({platform}) AppleWebKit/605.1.15 Version/{major}.{patch} Safari/605.1.15", "app", 20, 60, 19, "safari", 0.2),
    Library("firefox", "Mozilla/5.0 ({platform}; rv:1{minor}.0) Gecko/20100101 Firefox/1{minor}.0", "app", 9, 28, 1, "firefox", 0.1),
    Library("mobile-ios", "AssistantApp/1.{minor}.{patch} (iOS)", "app", 7, 14, 1, "ios", 0.2),
    Library("mobile-android", "AssistantApp/1.{minor}.{patch} (Android)", "app", 8, 14, 1, "android", 0.3),
    Library("boto3", "Boto3/1.{minor}.{patch} lang/python", "bedrock", 80, 7, 1, "openssl", 0.7),
    Library("aws-js", "aws-sdk-js/3.{minor}.0", "bedrock", 20, 7, 3, "node", 0.7),
    Library("gcp-python", "gcp-aiplatform/1.{minor}.{patch} gl-python", "vertex", 80, 10, 1, "openssl", 0.7),
    Library("gcp-node", "gcp-nodejs-client/{major}.{minor}.{patch}", "vertex", 20, 12, 3, "node", 0.7),
    Library("batch-python", "ModelSDK/Python {major}.{minor}.{patch}", "batch", 80, 9, 1, "openssl"),
    Library("batch-curl", "curl/8.{minor}.0", "batch", 20, 55, 8, "curl", 0.9),
)  # fmt: skip

_NAMES = tuple(library.name for library in LIBRARIES)


def library_index(name: str) -> int:
    """Find a library by its name."""
    return _NAMES.index(name)


def choose_libraries(surface: str, keys: Keys) -> Indices:
    """Draw a library per key among those of one surface."""
    rows = [index for index, library in enumerate(LIBRARIES) if library.surface == surface]
    drawn = chance.pick_weighted(keys, chance.salt("library"), [LIBRARIES[row].share for row in rows])
    return np.array(rows, dtype=np.int64)[drawn]


def versions(library: Indices, client: Keys, day: Indices) -> Indices:
    """Say which version of its library each client runs on a day.

    Args:
        library: `(n,)` index into `LIBRARIES`.
        client: `(n,)` the installation's key: some lag, many are pinned.
        day: `(n,)` days since the start; a negative day freezes the client at its first version.
    """
    cadence = np.array([entry.cadence_days for entry in LIBRARIES])[library]
    pinned = (
        chance.uniform(client, chance.salt("pinned"))
        < np.array([entry.pinned for entry in LIBRARIES])[library]
    )
    lag = np.where(pinned, chance.log_normal(client, chance.salt("age"), 60.0, 0.9), 0.0)
    lag += chance.log_normal(client, chance.salt("lag"), 4.0, 1.0)
    current = np.where(pinned | (day < 0), 0, day)
    version = np.floor((_HISTORY_DAYS + current - lag) / cadence)
    return np.asarray(version.clip(0, _VERSIONS - 1), dtype=np.int64)


def platforms(library: Indices, client: Keys) -> Indices:
    """Draw the platform under each installation."""
    drawn = chance.pick_weighted(client, chance.salt("platform"), _PLATFORM_WEIGHTS)
    desktop = np.array([entry.surface == "app" for entry in LIBRARIES])[library]
    return np.where(desktop & (drawn != 1), 2, drawn)


def user_agents(library: Indices, version: Indices, platform: Indices) -> pa.StringArray:
    """Write the user-agent texts."""
    code = (library * _VERSIONS + version) * len(_PLATFORMS) + platform
    unique, back = np.unique(code, return_inverse=True)
    return pa.array([_agent(int(value)) for value in unique], pa.string()).take(pa.array(back))


def handshakes(library: Indices, version: Indices, platform: Indices) -> pa.StringArray:
    """Write the JA4 values."""
    code = (library * _VERSIONS + version) * len(_PLATFORMS) + platform
    unique, back = np.unique(code, return_inverse=True)
    return pa.array([_ja4(int(value)) for value in unique], pa.string()).take(pa.array(back))


@cache
def _agent(code: int) -> str:
    rest, platform = divmod(code, len(_PLATFORMS))
    index, version = divmod(rest, _VERSIONS)
    library = LIBRARIES[index]
    system = (
        "X11; Linux x86_64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "Windows NT 10.0; Win64; x64",
        "X11; CrOS",
    )
    return library.agent.format(
        major=library.major,
        minor=20 + version // 3,
        patch=version % 3 + version % 7 // 3,
        platform=system[platform],
    )


@cache
def _ja4(code: int) -> str:
    rest, platform = divmod(code, len(_PLATFORMS))
    index, version = divmod(rest, _VERSIONS)
    stack = LIBRARIES[index].tls
    digest = hashlib.blake2b(
        f"{stack}/{_PLATFORMS[platform]}/{version // 30}".encode(), digest_size=12
    ).hexdigest()
    protocol = "h1" if stack in {"openssl", "curl", "java"} else "h2"
    return f"t13d{13 + int(digest[:2], 16) % 6}{10 + int(digest[2:4], 16) % 8}{protocol}_{digest[:12]}_{digest[12:]}"
