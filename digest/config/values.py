"""What a setting may hold: the types that the sections share, each refusing with what would be right."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from digest.domain.schedule import read_zone

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
HTTP = r"^https?://[^\s/]+(/[^\s]*)?$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network; such as 10.0.0.7 or 10.0.0.0/8") from None


Network = Annotated[str, AfterValidator(_network)]
Zone = Annotated[str, AfterValidator(read_zone)]
Text = Annotated[str, Field(pattern=_ONE_LINE)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
