"""One frozen `Settings`, from the environment; README has the table of them."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service.environment import EVERY_HOST, is_of_kubernetes

MEBIBYTE = 1 << 20
HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _period(value: object) -> object:
    """Read a number with its unit, such as 90d."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value)
    if found is None:
        raise ValueError(f"{value!r} is no period: give a whole number and s, m, h or d, such as 90d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


Period = Annotated[timedelta, BeforeValidator(_period)]


class Settings(BaseSettings):
    """The settings of Descent: the place of its data, its address and its limits.

    Each field is the environment variable `DESCENT_<NAME>`. An empty variable counts as absent.
    """

    model_config = SettingsConfigDict(env_prefix="DESCENT_", env_ignore_empty=True, frozen=True, extra="forbid")

    data: Path = Path("data")
    """Folder of everything that is kept."""
    database: str | None = None
    """SQLAlchemy URL; None: descent.db in the data folder."""
    storage: str | None = None
    """Place of the datasets' arrays: a folder, or s3://bucket/prefix; None: datasets/ in the data folder."""
    scheduler: Annotated[str, Field(pattern=r"^(tcp|tls|ws|wss)://.+")] | None = None
    """Address of a Dask scheduler, such as tcp://10.0.0.5:8786; None: workers inside this service."""
    workers: PositiveInt | None = None
    """Embedded worker processes; None: min(cores, memory / 256 MB)."""
    worker_memory: PositiveInt | None = None
    """Bytes that a worker may use; None: 0.8 of the memory, divided by the workers."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0 takes a free one."""
    hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    """Names that browsers may know this service by, beside IP literals and loopback names; `*`: any name."""
    auth: Literal["keys", "off"] = "keys"
    """Whether requests need a key; `off`: anybody who reaches the service may do anything."""
    docs: Literal["keys", "open"] = "keys"
    """Whether the documentation needs a key as well."""
    proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Proxies whose X-Forwarded-Proto, -Host and -For are believed: addresses, or networks."""
    max_requests: PositiveInt | None = None
    """Requests a second of one owner, in each replica; None: any number."""
    max_streams: PositiveInt | None = None
    """Streams of events that one owner may have open, in each replica; None: any number."""
    max_queued_jobs: PositiveInt | None = None
    """Jobs of one owner that may wait for a worker; None: any number."""
    max_stored_bytes: PositiveInt | None = None
    """Bytes that the datasets, models and jobs of one owner may take; None: any number."""
    max_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000_000
    """Rows of the largest dataset."""
    max_columns: Annotated[int, Field(ge=2, le=4096)] = 4096
    """Columns of the widest dataset."""
    max_expression: Annotated[int, Field(ge=1, le=2000)] = 2000
    """Characters of the longest formula that a client writes."""
    max_job_seconds: PositiveInt | None = None
    """Seconds of workers that a job may take; None: as many as it asks for."""
    max_body: PositiveInt = 32 * MEBIBYTE
    """Largest request body, in bytes."""
    max_upload: PositiveInt = 8192 * MEBIBYTE
    """Largest body of a streamed dataset, in bytes; also the limit of its decompressed bytes and of its arrays."""
    max_parameters: PositiveInt = 25_000_000
    """Parameters of the largest network."""
    max_job_bytes: PositiveInt = 4096 * MEBIBYTE
    """Bytes that one job may write into the database: reports, kept parameters, version, checkpoint."""
    log: Literal["plain", "json"] = "plain"
    """The form of the lines on stderr."""
    access_log: bool = False
    """Whether each request gets a line."""
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of a replica's own metrics; None: nothing is counted."""
    metrics_host: str = "127.0.0.1"
    """Address of that port."""

    keep_jobs: Period | None = None
    """Time after their end for which jobs stay; None, as for all that follow: for ever."""
    keep_epochs: Period | None = None
    """Time after the end of a job for which all of its epoch reports stay; then about a thousand do."""
    keep_checkpoints: Period | None = None
    """Time for which the last parameters of jobs without a version stay, and kept epochs that nothing needs."""
    keep_answers: Period | None = None
    """Time for which a request with an `Idempotency-Key` is answered as before; None: a day."""
    keep_versions: Period | None = None
    """Time for which versions stay that are neither served nor latest, and that nothing needs."""

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.own_database}"

    @property
    def own_database(self) -> Path:
        """The file of the database, unless another one is named."""
        return self.data.absolute() / "descent.db"

    @field_validator("hosts", mode="before")
    @classmethod
    def _split_hosts(cls, hosts: Any) -> Any:
        """Read names separated by commas, without regard to case or a final dot."""
        names = hosts.split(",") if isinstance(hosts, str) else hosts
        plain = frozenset(name.strip().lower().removesuffix(".") for name in names) - {""}
        for name in plain:
            if name != EVERY_HOST and not HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no host name: give names without scheme, port and path, or {EVERY_HOST}")
        return plain

    @field_validator("proxies", mode="before")
    @classmethod
    def _split_proxies(cls, proxies: Any) -> Any:
        """Read addresses and networks separated by commas."""
        try:
            given = filter(None, map(str.strip, proxies.split(","))) if isinstance(proxies, str) else proxies
            return tuple(ip_network(each, strict=False) for each in given)
        except ValueError:
            detail = f"{proxies!r} is no list of addresses or networks: give 127.0.0.1, or 10.0.0.0/8,fd00::/8"
            raise ValueError(detail) from None

    @field_validator("port", mode="before")
    @classmethod
    def _leave_an_address_out(cls, port: object) -> object:
        """Ignore the address of a Service that Kubernetes sets under the name of our port."""
        of_kubernetes = isinstance(port, str) and is_of_kubernetes("DESCENT_PORT", port)
        return cls.model_fields["port"].default if of_kubernetes else port

    @field_validator("database")
    @classmethod
    def _check_database(cls, database: str | None) -> str | None:
        if database is not None:
            from sqlalchemy import make_url  # here: most have no such setting, and SQLAlchemy takes long to import
            from sqlalchemy.exc import ArgumentError

            remedy = "give that of an SQLite file, such as sqlite:////data/descent.db, or leave it out"
            try:
                url = make_url(database)
            except ArgumentError:
                raise ValueError(f"This is no URL of a database: {remedy}.") from None
            if url.drivername not in ("sqlite", "sqlite+pysqlite"):
                raise ValueError(f"{url.drivername} is not supported yet: {remedy}.")
            if url.database in (None, "", ":memory:"):
                raise ValueError(f"This URL names no file, and workers could not share it: {remedy}.")
        return database

    @property
    def storage_address(self) -> str:
        """A folder or an address, as every process understands it."""
        if self.storage is not None and "://" in self.storage:
            return self.storage
        return str(Path(self.storage or self.data / "datasets").absolute())

    @property
    def cache(self) -> Path:
        """Folder of copies of a bucket's datasets."""
        return self.data.absolute() / "cache"
