"""Answers compressed as `Accept-Encoding` asks (RFC 9110, 12.5.3)."""

import re
import zlib

WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""zlib's numbers for the containers of the two codings; of two that are equally welcome, the first is taken."""
SMALL = 1 << 10
"""Bytes that fit a packet or so: compression saves nothing there."""
LEVEL = 1
"""Level of compression; numbers hardly become smaller with more work."""

_CHOICE = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII)


def coding_for(accepted: str, size: int) -> str | None:
    """The coding for a body of `size` bytes, or None: as it is."""
    if size < SMALL or not accepted:
        return None
    weights: dict[str, float] = {}
    for choice in accepted.lower().split(","):
        if match := _CHOICE.fullmatch(choice):
            weights[match[1]] = float(match[2] or 1)
    welcome = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in WINDOWS}
    best = max(welcome, key=lambda coding: welcome[coding])
    return best if welcome[best] > 0 else None


def compress(body: bytes, coding: str) -> bytes:
    stream = zlib.compressobj(LEVEL, wbits=WINDOWS[coding])
    return stream.compress(body) + stream.flush()
