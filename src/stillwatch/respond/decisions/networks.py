"""Networks by prefix length: a lookup costs one dictionary access for each length that is in use."""

import socket
from ipaddress import IPV4LENGTH, IPv4Address, IPv6Address, ip_network
from typing import Final

from stillwatch.errors import DecisionError

_V4_IN_V6: Final = b"\x00" * 10 + b"\xff\xff"
"""Prefix of an IPv4 address that a dual-stack listener reports as IPv6 (RFC 4291, "IPv4-Mapped IPv6 Address")."""

NetworkKey = tuple[int, int, int]
"""Width of the address in bits (32 or 128), length of the prefix, and the prefix as a number."""


def network_key(value: str) -> NetworkKey:
    """Return the key of a CIDR network or a single address.

    Raises:
        DecisionError: it is neither.
    """
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError as error:
        raise DecisionError(f"{value!r} is no network", hint="write 192.0.2.0/24 or 2001:db8::/32") from error
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        network = ip_network(f"{mapped}/{network.prefixlen - 96}")
    width = network.max_prefixlen
    return width, network.prefixlen, int(network.network_address) >> (width - network.prefixlen)


def written(key: NetworkKey) -> str:
    """Return the network of a key as text, in the one way it is written."""
    width, length, prefix = key
    number = prefix << (width - length)
    address = IPv4Address(number) if width == IPV4LENGTH else IPv6Address(number)
    return f"{address}/{length}"


def packed(address: str) -> bytes | None:
    """Return an address as 4 or 16 bytes, or None when it is none."""
    try:
        return socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):  # ValueError: NUL bytes and lone surrogates
        pass
    try:
        raw = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return None
    return raw[12:] if raw.startswith(_V4_IN_V6) else raw


class NetworkTable:
    """Chains of slots by network."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[int, dict[int, int]]] = {32: {}, 128: {}}

    def get(self, key: NetworkKey, default: int) -> int:
        """Return the head of a network's own chain."""
        width, length, prefix = key
        return self._by_length[width].get(length, {}).get(prefix, default)

    def __setitem__(self, key: NetworkKey, head: int) -> None:
        """Set the head of a network's chain."""
        width, length, prefix = key
        self._by_length[width].setdefault(length, {})[prefix] = head

    def pop(self, key: NetworkKey, default: None = None) -> int | None:
        """Forget a network, and its length when nothing of that length is left."""
        width, length, prefix = key
        of_length = self._by_length[width].get(length, {})
        head = of_length.pop(prefix, default)
        if not of_length:
            self._by_length[width].pop(length, None)
        return head

    def heads(self, address: str) -> list[int]:
        """Return the heads of all networks that hold an address; none for what is no address."""
        raw = packed(address)
        if raw is None:
            return []
        width = len(raw) * 8
        number = int.from_bytes(raw, "big")
        found = []
        for length, of_length in self._by_length[width].items():
            head = of_length.get(number >> (width - length))
            if head is not None:
                found.append(head)
        return found
