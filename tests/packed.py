"""Trees of packs as makers announce them, and where the service has them."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from tests.county import EXPIRY, ONE
from tests.http import Answer, Client
from tests.orders import arrival, dispatch, new_batch, receipt

Json = dict[str, Any]
_cases = count(10**12)


class Case:
    """A batch in one case of some cartons, each of some vials; announced, not received."""

    def __init__(self, client: Client, cartons: int = 2, vials: int = 3, gtin: str = ONE, per_vial: int = 1) -> None:
        self.client, self.gtin, self.batch = client, gtin, new_batch()
        self.code = f"8{next(_cases)}0000000"
        self.cartons = [f"{self.code}C{each}" for each in range(cartons)]
        self.vials = [[f"{carton}V{each}" for each in range(vials)] for carton in self.cartons]
        self.doses = cartons * vials * per_vial
        client.post("/pack-files", self.file(), "keeper").ok()

    def file(self) -> Json:
        """What the maker's file says."""
        inner = [
            {"code": vial, "parent": carton}
            for carton, vials in zip(self.cartons, self.vials, strict=True)
            for vial in vials
        ]
        packs = [{"code": self.code}, *({"code": each, "parent": self.code} for each in self.cartons), *inner]
        return {"gtin": self.gtin, "batch": self.batch, "expiry": EXPIRY.isoformat(), "packs": packs}

    def receive(self, *codes: str, doses: int | None = None) -> Answer:
        """The case, or some of it, comes to the county."""
        lines = [{"code": code} for code in codes or (self.code,)]
        here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "gtin": self.gtin, "packs": lines}
        return self.client.post("/receipts", receipt(self.batch, doses or self.doses, **here))

    def send(self, *codes: str, **line: Any) -> Answer:
        """From the county to site A."""
        lines = [{"gtin": self.gtin, "batch": self.batch, "packs": list(codes), **line}]
        return self.client.post("/shipments", dispatch(self.batch, lines=lines))

    def arrive(self, shipment: str, *codes: str) -> Answer:
        """At site A: what is scanned at the door, or all."""
        lines = [{"gtin": self.gtin, "batch": self.batch, "packs": list(codes)}] if codes else []
        return self.client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines))

    def at_site(self) -> "Case":
        """Received, dispatched and received at site A, always by the case's own code."""
        self.receive().ok()
        self.arrive(self.send(self.code).ok()["shipment"], self.code).ok()
        return self

    def place(self, code: str) -> str | None:
        """Where a pack is: an appliance, or a kind of location; None without a place."""
        place = self.client.get(f"/packs/{code}").ok()["place"]
        if place is None:
            return None
        kind: str = place["kind"]
        appliance: str = place["appliance"]
        return appliance if kind == "storage" else kind

    def places(self, codes: Sequence[str]) -> set[str | None]:
        """Where packs are."""
        return {self.place(code) for code in codes}

    def get(self, code: str) -> Any:
        """What is shown of a pack."""
        return self.client.get(f"/packs/{code}").ok()
