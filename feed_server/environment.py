"""What all settings that come from the environment have in common: feed server and dashboard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_args

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from feed_server import keys

ENV_PREFIX = "QUOTEWIRE_"


def _usable_secret(value: SecretStr) -> SecretStr:
    keys.secret_key(value.get_secret_value())
    return value


def _usable_secret_file(value: Path) -> Path:
    keys.secret_file_key(value)
    return value


def _usable_public_key(value: Path) -> Path:
    keys.public_key(value)
    return value


def _usable_private_key(value: Path) -> Path:
    keys.private_key(value)
    return value


Secret = Annotated[SecretStr, AfterValidator(_usable_secret)]
SecretFile = Annotated[Path, AfterValidator(_usable_secret_file)]
PublicKeyFile = Annotated[Path, AfterValidator(_usable_public_key)]
PrivateKeyFile = Annotated[Path, AfterValidator(_usable_private_key)]


def require_one_key(settings: BaseSettings, *names: str) -> None:
    """Check that at most one of some settings is given.

    Raises:
        ValueError: Several are.
    """
    if sum(getattr(settings, name) is not None for name in names) > 1:
        variables = ", ".join(ENV_PREFIX + name.upper() for name in names)
        raise ValueError(f"set one of {variables}, not more")


def explain(settings: type[BaseSettings], error: Mapping[str, object]) -> str:
    """Return what is wrong with a setting: its variable, its value unless secret, the rule.

    Args:
        settings: Whose it is.
        error: As pydantic gives it.
    """
    message = str(error["msg"]).removeprefix("Value error, ")
    if not (isinstance(error["loc"], tuple) and error["loc"]):
        return message
    name = str(error["loc"][0])
    is_secret = _holds_secret(settings.model_fields[name].annotation)
    value = "" if is_secret else f"={error['input']!r}"
    return f"{ENV_PREFIX}{name.upper()}{value}: {message}"


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))
