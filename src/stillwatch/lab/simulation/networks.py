"""Addresses of the simulated world.

All of them lie in 240.0.0.0/4, which is reserved and belongs to no host, and every network has a number out of the
private-use range 64512 to 65534 (RFC 6996), so no real network is ever named. Each network owns 2^18 addresses.
What is common and what is rare follows life: a cloud region and a mobile carrier's few exits are common, a home is not.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.chance import Indices, Keys
from stillwatch.lab.simulation.places import COUNTRIES

_FIRST_ASN = 64512
_SIZE_BITS = 18
_HOST_MASK = (1 << _SIZE_BITS) - 1
_CARRIERS = 3
_MOBILE, _CLOUD, _VPN, _CAMPUS, _BUSINESS = 140, 200, 225, 250, 360
_CLOUDS, _VPNS, _CAMPUSES, _BUSINESSES = 16, 10, 100, 600
_MOBILE_EXITS, _VPN_EXITS, _CAMPUS_EXITS, _CAFES = 48, 60, 4, 400
_CLOUD_COUNTRIES = (
    "US",
    "US",
    "US",
    "US",
    "DE",
    "GB",
    "FR",
    "JP",
    "SG",
    "AU",
    "IN",
    "BR",
    "KR",
    "CA",
    "NL",
    "SE",
)


class Kind(IntEnum):
    """How an account reaches the interface."""

    HOME = 0
    MOBILE = 1
    OFFICE = 2
    CAMPUS = 3
    CAFE = 4
    CLOUD = 5
    SERVERLESS = 6
    VPN = 7
    SHARED = 8
    BLOCKS = 9
    ROTATING = 10


class Route(NamedTuple):
    """What decides an address, one value per request.

    Attributes:
        kind: `Kind` as int8.
        network: Key of the home, office, campus or pool.
        account: Key of the account.
        session: Key of the sitting or job.
        country: Index into `COUNTRIES`.
        day: Day of the request.
        pool: Servers of a cloud customer, or addresses or blocks of a shared pool.
    """

    kind: npt.NDArray[np.int8]
    network: Keys
    account: Keys
    session: Keys
    country: Indices
    day: Indices
    pool: Indices

    def take(self, rows: Indices) -> "Route":
        """Keep some requests only."""
        columns: list[Any] = [column[rows] for column in self]
        return Route(*columns)


class Located(NamedTuple):
    """Where requests come from: the address as a 32-bit number, the network number, the country's index."""

    address: npt.NDArray[np.uint32]
    asn: npt.NDArray[np.int32]
    country: Indices


def locate(route: Route) -> Located:
    """Give every request an address, its network and the network's country."""
    index, host, country = (
        np.zeros(len(route.kind), np.int64),
        np.zeros(len(route.kind), np.int64),
        route.country.copy(),
    )
    for kind in np.unique(route.kind):
        rows = np.flatnonzero(route.kind == kind)
        part = route.take(rows)
        index[rows], host[rows], country[rows] = _PLACES[Kind(int(kind))](part)
    address = (np.int64(240) << 24) + (index << _SIZE_BITS) + host
    return Located(address.astype(np.uint32), (index + _FIRST_ASN).astype(np.int32), country)


def dotted(address: npt.NDArray[np.uint32]) -> pa.StringArray:
    """Write addresses the usual way."""
    unique, back = np.unique(address, return_inverse=True)
    octets = pa.array([str(value) for value in range(256)])
    parts = [octets.take(pa.array(((unique >> shift) & 255).astype(np.int64))) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*parts, ".").take(pa.array(back))


def cloud_country(network: Keys) -> Indices:
    """Say in which country a cloud customer's servers stand."""
    codes = [country.code for country in COUNTRIES]
    return np.array([codes.index(code) for code in _CLOUD_COUNTRIES])[_cloud_region(network) - _CLOUD]


_Place = tuple[Indices, Indices, Indices]


def _host(keys: Keys, by: str) -> Indices:
    return chance.pick(keys, chance.salt(by), _HOST_MASK - 1) + 1


def _carrier(country: Indices, keys: Keys) -> Indices:
    return country * _CARRIERS + chance.pick_weighted(keys, chance.salt("carrier"), (6, 3, 1))


def _home(route: Route) -> _Place:
    # Homes keep an address for one to four weeks; the change comes on another day for each.
    lease_days = chance.pick(route.network, chance.salt("lease"), 4) * 7 + 7
    lease = (route.day + chance.pick(route.network, chance.salt("lease phase"), 28)) // lease_days
    keys = chance.combine(route.network, lease.astype(np.uint64))
    return _carrier(route.country, route.network), _host(keys, "home"), route.country


def _mobile(route: Route) -> _Place:
    return (
        _MOBILE + route.country,
        1 + chance.pick(route.session, chance.salt("exit"), _MOBILE_EXITS),
        route.country,
    )


def _office(route: Route) -> _Place:
    exits = 1 + chance.pick(route.network, chance.salt("exits"), 3)
    exit_ = (chance.uniform(route.account, chance.salt("desk")) * exits).astype(np.uint64)
    index = _BUSINESS + chance.pick(route.network, chance.salt("business"), _BUSINESSES)
    return index, _host(chance.combine(route.network, exit_), "office"), route.country


def _campus(route: Route) -> _Place:
    index = _CAMPUS + chance.pick(route.network, chance.salt("campus"), _CAMPUSES)
    return index, 1 + chance.pick(route.session, chance.salt("exit"), _CAMPUS_EXITS), route.country


def _cafe(route: Route) -> _Place:
    cafe = chance.zipf_rank(route.session, chance.salt("cafe"), _CAFES, 0.8).astype(np.uint64)
    keys = chance.combine(cafe, route.country.astype(np.uint64))
    return _carrier(route.country, keys), _host(keys, "cafe"), route.country


def _cloud_region(network: Keys) -> Indices:
    return _CLOUD + chance.zipf_rank(network, chance.salt("region"), _CLOUDS, 0.7)


def _cloud(route: Route) -> _Place:
    server = (chance.uniform(route.session, chance.salt("server")) * route.pool.clip(1)).astype(np.uint64)
    return _in_region(route, _host(chance.combine(route.network, server), "server"))


def _serverless(route: Route) -> _Place:
    return _in_region(route, 1 + chance.pick(route.session, chance.salt("lambda"), 3000))


def _in_region(route: Route, host: Indices) -> _Place:
    return _cloud_region(route.network), host, cloud_country(route.network)


def _vpn(route: Route) -> _Place:
    provider = chance.pick_weighted(route.network, chance.salt("vpn"), range(_VPNS, 0, -1))
    exit_ = chance.combine(route.account, route.day.astype(np.uint64))
    country = _somewhere(chance.mix(provider.astype(np.uint64), 7) ^ (exit_ % np.uint64(6)))
    return _VPN + provider, 1 + chance.pick(exit_, chance.salt("exit"), _VPN_EXITS), country


def _shared(route: Route) -> _Place:
    member = (chance.uniform(route.account, chance.salt("member")) * route.pool.clip(1)).astype(np.uint64)
    keys = chance.combine(route.network, member)
    return _cloud_region(keys), _host(keys, "server"), cloud_country(keys)


def _blocks(route: Route) -> _Place:
    block = (chance.uniform(route.account, chance.salt("block")) * route.pool.clip(1)).astype(np.uint64)
    keys = chance.combine(route.network, block)
    start = _host(keys, "block") & ~0xFF
    day = chance.combine(route.account, route.day.astype(np.uint64))
    return (
        _cloud_region(keys),
        start + 1 + chance.pick(day, chance.salt("in block"), 250),
        cloud_country(keys),
    )


def _rotating(route: Route) -> _Place:
    keys = chance.combine(route.account, route.day.astype(np.uint64))
    country = _somewhere(keys)
    return _carrier(country, keys), _host(keys, "proxy"), country


def _somewhere(keys: Keys) -> Indices:
    return chance.pick_weighted(keys, chance.salt("somewhere"), [country.share for country in COUNTRIES])


_PLACES = {
    Kind.HOME: _home,
    Kind.MOBILE: _mobile,
    Kind.OFFICE: _office,
    Kind.CAMPUS: _campus,
    Kind.CAFE: _cafe,
    Kind.CLOUD: _cloud,
    Kind.SERVERLESS: _serverless,
    Kind.VPN: _vpn,
    Kind.SHARED: _shared,
    Kind.BLOCKS: _blocks,
    Kind.ROTATING: _rotating,
}
