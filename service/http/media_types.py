"""Media types of requests and answers, and the choice of the one that a client prefers."""

import re
from collections.abc import Sequence

from service.errors import NotAcceptable

JSON = "application/json"
CSV = "text/csv"
TSV = "text/tab-separated-values"
FORM = "application/x-www-form-urlencoded"
ARROW = "application/vnd.apache.arrow.stream"
NPY = "application/x-npy"


def name_of(content_type: str) -> str:
    """Return the media type that a Content-Type names, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def parameter(content_type: str, name: str) -> str | None:
    """Return a parameter of a Content-Type, such as its charset."""
    found = re.search(rf';\s*{name}="?([^";\s]+)', content_type, re.IGNORECASE)
    return found[1][:50] if found else None


def preferred(accept: str, offers: Sequence[str]) -> str:
    """Return the offer that an Accept header (RFC 9110, 12.5.1) likes best; of those it likes equally, the first.

    Raises:
        NotAcceptable: it wants none of them.
    """
    if not accept or accept == "*/*":
        return offers[0]
    wanted = weights(accept)
    best = max(offers, key=lambda offer: _quality(offer, wanted))
    if _quality(best, wanted) <= 0:
        raise NotAcceptable(f"This is answered as {', '.join(offers)}, but Accept allows none of them.")
    return best


def weights(header: str) -> dict[str, float]:
    """Return the weight (RFC 9110, 12.4.2) of each media range or coding that a header lists, by its name."""
    return dict(_weighted(choice) for choice in header.split(","))


def _weighted(choice: str) -> tuple[str, float]:
    """Return a name and its weight; one whose weight cannot be read counts in full, as RFC 9110 leaves open."""
    name, *parameters = choice.split(";")
    quality = next((each.strip()[2:] for each in parameters if each.strip().lower().startswith("q=")), "1")
    try:
        return name.strip().lower(), float(quality)
    except ValueError:
        return name.strip().lower(), 1.0


def _quality(offer: str, wanted: dict[str, float]) -> float:
    """Return the weight of the most specific range that fits."""
    ranges = (offer, f"{offer.partition('/')[0]}/*", "*/*")
    return next((wanted[each] for each in ranges if each in wanted), 0.0)
