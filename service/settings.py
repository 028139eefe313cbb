"""One frozen Settings, read from the environment, a `.env` file, or command line flags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.core.encoding import ArchiveEncoding, Encoding
from service.core.errors import Misconfigured


class Device(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Auth(StrEnum):
    ON = "on"
    OFF = "off"


BUNDLED_MODEL = Path(__file__).parent.parent / "models" / "weights" / "quarter-unet.onnx"
PREFIX = "METERCROP_"

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Settings(BaseSettings):
    """Names and meanings are those of the interface; each is `METERCROP_` and its name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    home: Path = Path("metercrop-data")
    """Where the embedded database and the object folder live."""
    database_url: str = ""
    """sqlite:///FILE or postgresql://...; unset: sqlite in the home folder."""
    store_url: str = ""
    """file:///FOLDER or s3://BUCKET/PREFIX; unset: a folder in the home folder."""
    s3_endpoint: str = ""
    """The S3-compatible server, as HOST:PORT."""
    s3_access_key: str = ""
    """The access key of the S3-compatible server."""
    s3_secret_key: SecretStr = SecretStr("")
    """Its secret key; better set in the environment, where `ps` does not show it."""
    s3_region: str = "us-east-1"
    """The region of the bucket."""
    s3_secure: bool = True
    """Whether the S3-compatible server is spoken to over TLS."""
    device: Device = Device.AUTO
    """auto, cpu or cuda; with cuda nothing starts unless the model really runs there."""
    model: Path = BUNDLED_MODEL
    """An ONNX file exported by this project, or the bare name of a bundled one."""
    margin: Annotated[float, Field(ge=0.0, le=10.0)] = 0.25
    """Added around the region on each side, as a share of its longer side."""
    min_confidence: Fraction | None = None
    """Under it, 0 to 1, the original is kept; unset: what the model says."""
    encoding: Encoding = Encoding.AUTO
    """auto, jpeg-lossless, jpeg, webp or avif; auto is the smallest that keeps the region exact."""
    archive_encoding: ArchiveEncoding | None = None
    """jxl packs stored JPEG crops, which are served as the same bytes; unset: packs none."""
    keep_originals_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """How long an upload's original is kept beside its crop."""
    keep_gps: bool = False
    """Whether the stored crop keeps where the photo was taken."""
    context_px: Annotated[int, Field(ge=0, le=2048)] = 320
    """The longer side of the small picture of the whole that lies beside a crop; 0 for none."""
    max_bytes: Annotated[int, Field(gt=0)] = 50_000_000
    """Larger photos are refused."""
    max_pixels: Annotated[int, Field(gt=0)] = 100_000_000
    """Photos with more pixels are refused before they are decoded."""
    max_concurrent_megapixels: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    """How much is worked on at once; unset: what half of the memory at hand allows."""
    job_folders: str = ""
    """Folders that jobs asked for over HTTP may name, with : between them; unset: none."""
    auth: Auth | None = None
    """API keys, on or off; unset: on, but off while bound to loopback with no key created."""
    price_per_gb_month: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.023
    """What a gigabyte costs a month, for money in the savings report."""
    min_billable_bytes: Annotated[int, Field(ge=0)] = 0
    """The store bills smaller objects as if they had this size."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """Of the price, as the three letters of ISO 4217."""
    savings_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """How many days a savings report without a first day goes back; with 0 it covers them all."""

    @field_validator("model", mode="before")
    @classmethod
    def _bundled(cls, named: object) -> object:
        if not isinstance(named, str) or re.fullmatch(r"[\w-]+", named) is None:
            return named
        bundled = BUNDLED_MODEL.with_name(f"{named}.onnx")
        return bundled if bundled.exists() else named

    @field_validator("home", "model")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        try:
            return path.expanduser().absolute()
        except RuntimeError as error:
            raise ValueError(f"there is no home folder for {path}") from error

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        return _beginning_with(url, "sqlite:///", "postgresql://")

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        return _beginning_with(url, "file:///", "s3://")

    @field_validator("job_folders")
    @classmethod
    def _absolute_folders(cls, folders: str) -> str:
        for folder in filter(None, folders.split(":")):
            if not folder.startswith("/") or {".", ".."} & set(folder.split("/")):
                raise ValueError(f"must be absolute folders without . and .. segments, is {folder}")
        return folders

    @property
    def folders_for_jobs(self) -> tuple[str, ...]:
        return tuple(filter(None, self.job_folders.split(":")))

    @property
    def database(self) -> str:
        """The database's address, the embedded one where none is set."""
        return self.database_url or f"sqlite:///{quote(str(self.home / 'metercrop.db'))}"

    @property
    def database_is_embedded(self) -> bool:
        return self.database.startswith("sqlite:")

    @property
    def store(self) -> str:
        """The store's address, the folder in `home` where none is set."""
        return self.store_url or (self.home / "objects").as_uri()

    def printable(self) -> dict[str, str | int | float | bool | None]:
        """Every setting by its variable's name, fit for JSON and without secrets."""
        shown = self.model_dump(mode="json")  # pydantic masks SecretStr itself
        shown |= {"database_url": masked(self.database), "store_url": masked(self.store)}
        return {variable(name): value for name, value in shown.items()}


def read_settings(flags: Mapping[str, str]) -> Settings:
    """Flags by field name before the environment before `.env`.

    Raises `Misconfigured` `settings.invalid` that names each wrong variable or flag.
    """
    try:
        return Settings(**flags)  # type: ignore[arg-type]  # validated right here
    except ValidationError as error:
        complaints = (_complaint(detail, flags) for detail in error.errors())
        raise Misconfigured("settings.invalid", "; ".join(complaints)) from error
    except UnicodeDecodeError as error:
        raise Misconfigured("settings.invalid", f"the .env file is not UTF-8 ({error})") from error


def variable(field: str) -> str:
    return PREFIX + field.upper()


def flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def masked(url: str) -> str:
    """The address without any password in it; rather too much is hidden than too little."""
    url = re.sub(r"(?<=://)([^:/?#]*):.*(?=@)", r"\1:***", url)
    return re.sub(r"((?:password|secret)[^=&]*=)[^&]*", r"\1***", url)


def _beginning_with(url: str, *beginnings: str) -> str:
    if url and not url.startswith(beginnings):
        raise ValueError(f"must begin with {' or '.join(beginnings)}, is {masked(url)}")
    return url


def _complaint(detail: ErrorDetails, flags: Mapping[str, object]) -> str:
    """One line such as `METERCROP_MARGIN: must be at least 0, is -1`."""
    field = str(detail["loc"][0])
    field = field.removeprefix(PREFIX.lower())
    name = flag(field) if field in flags else variable(field)
    return f"{name}: {_expectation(detail)}"


def _expectation(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            expected = f"must be at least {limits['ge']:g}"
        case "greater_than":
            expected = f"must be more than {limits['gt']:g}"
        case "less_than_equal":
            expected = f"must be at most {limits['le']:g}"
        case "enum":
            expected = "must be " + limits["expected"].replace("'", "")
        case "int_parsing" | "int_from_float":
            expected = "must be a whole number"
        case "float_parsing" | "finite_number":
            expected = "must be a number"
        case "string_pattern_mismatch":
            expected = "must be three capital letters such as EUR"
        case "bool_parsing":
            expected = "must be true or false"
        case _:
            return detail["msg"].removeprefix("Value error, ")
    return f"{expected}, is {detail['input']}"
