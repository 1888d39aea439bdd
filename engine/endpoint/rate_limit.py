"""Rate limit for requests: at most so many a minute, and none before the time that the server asks to wait for."""

from __future__ import annotations

import asyncio
import time


class RateLimiter:
    """One limit for all concurrent requests to a server."""

    def __init__(self, requests_per_minute: float | None) -> None:
        """None for no limit."""
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0

    async def acquire(self) -> None:
        """Waits until the next request may be sent, and counts it."""
        while (now := time.monotonic()) < self._next:
            await asyncio.sleep(self._next - now)
        self._next = now + self._interval

    def pause(self, seconds: float) -> None:
        """Sends no request for this long."""
        self._next = max(self._next, time.monotonic() + seconds)
