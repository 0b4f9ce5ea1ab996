"""What the headers of a request say about the client."""

from collections.abc import Mapping
from typing import Any

from stillwatch.detect.logs.reading.rows import Row

ADDRESS_HEADERS = ("cf-connecting-ip", "true-client-ip", "x-real-ip", "x-client-ip")
ASN_HEADERS = ("x-client-asn", "x-asn", "cf-asn")
COUNTRY_HEADERS = ("cf-ipcountry", "x-client-country", "x-country-code", "cloudfront-viewer-country")
JA4_HEADERS = ("x-ja4", "x-tls-ja4", "x-client-ja4", "cf-ja4", "cloudfront-viewer-ja4-fingerprint")
_COLUMN_OF_HEADER = {
    **dict.fromkeys(ASN_HEADERS, "client_asn"),
    **dict.fromkeys(COUNTRY_HEADERS, "client_country"),
    **dict.fromkeys(JA4_HEADERS, "tls_ja4"),
}
_INNER_PREFIXES = (
    "10.", "127.", "192.168.", "169.254.", "::1", "fc", "fd", "fe80",
    *(f"172.{second}." for second in range(16, 32)),
)  # fmt: skip


def lowered(headers: Any) -> Mapping[str, Any]:
    """Return headers with names in lower case; anything but a mapping has none."""
    if not isinstance(headers, dict) or not headers:
        return {}
    return {str(name).lower(): value for name, value in headers.items()}


def first_of(headers: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first header that is there."""
    for name in names:
        value = headers.get(name)
        if value is not None:
            return value
    return None


def fill_from_headers(row: Row, headers: Any) -> None:
    """Fill what proxies in front say about the client; of two headers for one thing the first counts.

    Args:
        row: The request to fill.
        headers: Names to values, in any case.
    """
    if not isinstance(headers, dict):
        return
    for name, value in headers.items():
        column = _COLUMN_OF_HEADER.get(name) or _COLUMN_OF_HEADER.get(name.lower())
        if column is not None and getattr(row, column) is None:
            setattr(row, column, value)


def address_of(headers: Mapping[str, Any]) -> Any:
    """Return the client's address.

    A header that a front proxy sets itself comes first. In `x-forwarded-for` the client can write what it likes
    on the left; each proxy appends what it saw on the right. So the last address that is not from inside counts.
    """
    direct = first_of(headers, ADDRESS_HEADERS)
    return direct if direct is not None else forwarded_address(headers.get("x-forwarded-for"))


def forwarded_address(value: Any) -> Any:
    """Return the last address of a forwarding chain that is not from inside."""
    if not isinstance(value, str):
        return value
    if "," not in value and ":" not in value:
        return value.strip() or None
    hops = [bare_address(hop) for hop in value.split(",") if hop.strip()]
    for hop in reversed(hops):
        if not hop.startswith(_INNER_PREFIXES):
            return hop
    return hops[-1] if hops else None


def bare_address(text: str) -> str:
    """Cut a port and brackets off an address."""
    address = text.strip().strip('"')
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
