"""When the next request may be sent: not more than so many a minute, and not before the server wants to hear again."""

from __future__ import annotations

import asyncio
import time


class RateLimiter:
    """One pace for all requests to a server; what one of them is told to wait, all wait."""

    def __init__(self, requests_per_minute: float | None) -> None:
        self._gap = 60 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Returns when the next request may be sent, and counts it."""
        while (now := time.monotonic()) < self._next:
            await asyncio.sleep(self._next - now)
        self._next = now + self._gap

    def wait(self, seconds: float) -> None:
        """Sends nothing for so long."""
        self._next = max(self._next, time.monotonic() + seconds)
