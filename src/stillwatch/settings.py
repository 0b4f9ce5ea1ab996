"""Every setting of stillwatch, with its default.

Order of precedence, weakest first: the defaults below, `stillwatch.toml` in the working folder, `STILLWATCH_*`
environment variables (two underscores between group and name: `STILLWATCH_SCAN__FDR`), flags.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError as SourceError,
    TomlConfigSettingsSource,
)

from stillwatch.errors import SettingsError

CONFIG_FILE = "stillwatch.toml"
ENV_PREFIX = "STILLWATCH_"
NESTING = "__"

Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]


class ScanSettings(BaseModel):
    """What `stillwatch scan` assumes when a flag does not say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path = Field(default=Path("stillwatch-out"), description="folder for findings and the report")
    fdr: OpenShare = Field(default=0.05, description="share of the findings that may be false discoveries")
    max_rejected: Share = Field(
        default=0.01, description="share of the lines that may be rejected before the run counts as failed"
    )
    threads: int = Field(default=0, ge=0, description="threads of the embedded engine; 0 means one per core")
    memory_gib: float = Field(default=3.0, gt=0.0, description="memory the embedded engine may use, in GiB")


class ReadSettings(BaseModel):
    """What is believed of a log, and how much memory reading may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_prompt_bytes: PositiveInt = Field(
        default=1 << 20, description="longest prompt or system text of one request, in bytes of UTF-8"
    )
    max_line_bytes: PositiveInt = Field(
        default=64 << 20, description="longest line of a text format, in bytes; a longer one is rejected"
    )
    earliest: AwareDatetime = Field(
        default=datetime(2015, 1, 1, tzinfo=UTC),
        description="a request before this instant is rejected as a broken clock",
    )
    future_tolerance_h: float = Field(
        default=24.0, ge=0.0, le=8_784.0, description="hours that a clock may run ahead of the scan"
    )
    batch_rows: PositiveInt = Field(default=131_072, description="most rows that are worked on as one batch")
    batch_bytes: PositiveInt = Field(
        default=128 << 20, description="most bytes of text gathered for one batch, which bounds the memory"
    )
    max_joined_rows: PositiveInt = Field(
        default=2_000_000,
        description="most answers of batch jobs held in memory while they wait for their questions",
    )

    def as_limits(self) -> dict[str, Any]:
        """Return the values by the names that readers use."""
        values = self.model_dump(exclude={"future_tolerance_h"})
        return {**values, "future_tolerance": timedelta(hours=self.future_tolerance_h)}


class NodeSettings(BaseModel):
    """What a lab's node and the commands on its database have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = Field(
        default="",
        description="URL of the database of cases and decisions; without one, a file in the node's folder",
        repr=False,
    )


class GuardSettings(BaseModel):
    """What a gateway that is configured from outside, such as a LiteLLM proxy, connects its guard to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(default="", description="URL of the node, or URL or path of its database")
    token: str = Field(
        default="", description="token of the node: scope decide, and ingest for logs", repr=False
    )
    fail_closed: bool = Field(default=False, description="refuse calls that could not be checked")
    log: Path | None = Field(default=None, description="folder for log records that a node follows")
    text: bool = Field(default=True, description="record prompts, which detection reads")


class Settings(BaseSettings):
    """All groups. Use `load`, which turns every mistake into a `SettingsError`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=NESTING,
        toml_file=CONFIG_FILE,
        extra="forbid",
        frozen=True,
    )

    scan: ScanSettings = ScanSettings()
    read: ReadSettings = ReadSettings()
    node: NodeSettings = NodeSettings()
    guard: GuardSettings = GuardSettings()

    @classmethod
    def settings_customise_sources(  # the name is pydantic's
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags before the environment before the file, and read nothing else."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(flags: Mapping[str, Mapping[str, object]] | None = None) -> Settings:
    """Read the settings that apply in the working folder.

    Args:
        flags: Values given on the command line by group and name. None values count as not given.

    Returns:
        The merged settings.

    Raises:
        SettingsError: A name is unknown or a value is not allowed, wherever it came from.
    """
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**_given(flags or {}))
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG_FILE} is not valid TOML: {error}") from error
    except SourceError as error:
        raise SettingsError(f"a {ENV_PREFIX}* variable cannot be parsed: {error}") from error
    except OSError as error:
        raise SettingsError(f"{CONFIG_FILE} cannot be read: {error.strerror}") from error


def _given(flags: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Drop what the command line left open, so that weaker sources can fill it."""
    kept = {
        group: {name: value for name, value in values.items() if value is not None}
        for group, values in flags.items()
    }
    return {group: values for group, values in kept.items() if values}


def _sentence(error: ValidationError) -> str:
    """Say which setting is wrong and why, without pydantic's own layout."""
    return "; ".join(
        f"setting {'.'.join(str(part) for part in detail['loc'])}: {detail['msg'].lower()}"
        for detail in error.errors()
    )


def variable_names() -> Iterator[str]:
    """Yield the name of every environment variable that is a setting."""
    for group, field in Settings.model_fields.items():
        yield f"{ENV_PREFIX}{group}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for name in field.annotation.model_fields:
                yield f"{ENV_PREFIX}{group}{NESTING}{name}".upper()


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raise on a misspelled variable, which would otherwise be ignored without a word."""
    known = set(variable_names())
    unknown = sorted(name for name in environment if name.upper().startswith(ENV_PREFIX))
    unknown = [name for name in unknown if name.upper() not in known]
    if unknown:
        raise SettingsError(f"unknown environment variables: {', '.join(unknown)}")
