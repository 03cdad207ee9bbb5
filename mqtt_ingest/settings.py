"""Where the broker is and how to speak to it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from mqtt_ingest.topics import ROOT

Protocol = Literal["5", "3.1.1"]

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Tls:
    """Encryption: the authority that vouches for the broker (None: the system's), and our own certificate, if any."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """A connection to a broker.

    `client_id` names the session that the broker keeps while we are away: fixed for each worker and gateway, and
    never shared by two that run at once.
    """

    client_id: str
    host: str
    port: int = 1883
    tls: Tls | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: Protocol = "5"
    root: str = ROOT

    @classmethod
    def from_url(
        cls, url: str, client_id: str, *, protocol: Protocol = "5", root: str = ROOT, tls: Tls | None = None
    ) -> Self:
        """Settings from `mqtt://user:password@host:port` or `mqtts://...`, percent-encoded where need be.

        Raises:
            ValueError: the URL is of another kind, or names no host.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"broker URL begins {parts.scheme}://; expected mqtt://host:port or mqtts://host:port")
        return cls(
            client_id=client_id,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=(tls or Tls()) if parts.scheme == "mqtts" else None,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            protocol=protocol,
            root=root,
        )
