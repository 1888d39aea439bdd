"""Sends a request to a server for every prompt, several at a time, with retries; gives up on one prompt, or on the server as a whole."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import httpx2

from tuneproof.engine.core.errors import CaseError, RunFailed, TuneproofError
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.endpoint.rate_limit import RateLimiter
from tuneproof.engine.endpoint.reply import FailedAttempt, FailureKind, ServerAnswer, read_failure, read_reply
from tuneproof.engine.endpoint.reply_cache import CachedReply, ReplyCache
from tuneproof.engine.endpoint.secret_echo import SecretEcho
from tuneproof.engine.endpoint.server import Server
from tuneproof.engine.run.stop import StopRequest

FIRST_BACKOFF, MAX_BACKOFF = 0.5, 30.0
"""Seconds before the second attempt, and the most before any; each wait is twice the one before."""

MAX_RETRY_AFTER = 120.0
"""Most seconds that a server may ask to wait; a prompt for which it asks more gets no answer."""

MAX_CONSECUTIVE_FAILURES = 10
"""After this many prompts in a row without an answer, or twice the concurrency if that is more, the server counts as gone."""

MAX_REPLY_BYTES = 16 << 20
"""A larger reply is not read to its end."""

MAX_DETAIL_LENGTH = 300
"""Characters kept of a server's error message."""

POLL_SECONDS, GRACE_SECONDS = 0.1, 5.0
"""How often to look for a request to stop, and how long to wait for open requests then."""

LOG = logging.getLogger(__name__)
# At its default level, httpx2 logs a line for every request.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class EndpointClient:
    """A server as the backend of an arm. Its answers are stored in `cache_file` as they arrive."""

    server: Server
    max_new_tokens: int
    cache_file: Path
    stop: StopRequest

    def prompt(self, messages: Sequence[Message]) -> str:
        """The JSON body of a request."""
        return self.server.request_body(messages, self.max_new_tokens)

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the total seconds of the attempts that were answered.

        The seconds are added up as if requests were sent one after the other, without waits. A prompt without an answer has a completion
        with an `error`. Raises CaseError if the server rejects every request, RunFailed if it cannot be reached, denies access or stops
        answering, and whatever `on_progress` raises.
        """
        with ReplyCache(self.cache_file, self.server.url) as cache:
            job = _Job(self.server, prompts, cache, self.stop)
            asyncio.run(job.run(on_progress))
        return [job.completions[at] for at in range(len(prompts))], job.seconds


@dataclass
class _Job:
    """The requests for one list of prompts."""

    server: Server
    prompts: Sequence[str]
    cache: ReplyCache
    stop: StopRequest
    completions: dict[int, Completion] = field(default_factory=dict)
    """By the position of the prompt."""
    seconds: float = 0.0
    answered: int = 0
    consecutive_failures: int = 0

    def __post_init__(self) -> None:
        self._api_key = self.server.api_key()
        self._secret = SecretEcho(self._api_key)
        self._rate_limiter = RateLimiter(self.server.settings.requests_per_minute)
        for at, prompt in enumerate(self.prompts):
            if (reply := self.cache.find(prompt)) is not None:
                self._add_completion(at, reply)
        self._pending = iter([at for at in range(len(self.prompts)) if at not in self.completions])

    async def run(self, on_progress: Callable[[int, int], None]) -> None:
        """Sends the requests that the cache does not answer."""
        reported = 0
        async with self._http_client() as http:
            workers = {asyncio.create_task(self._work(http)) for _ in range(self.server.settings.concurrency)}
            try:
                while workers:
                    ended, workers = await asyncio.wait(workers, timeout=POLL_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
                    if self.stop.requested and workers:
                        # Open requests are paid for already.
                        ended |= (await asyncio.wait(workers, timeout=GRACE_SECONDS, return_when=asyncio.FIRST_EXCEPTION))[0]
                    for task in ended:
                        task.result()
                    if len(self.completions) > reported or self.stop.requested:
                        reported = len(self.completions)
                        on_progress(reported, len(self.prompts))
            finally:
                for task in workers:
                    task.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    def _http_client(self) -> httpx2.AsyncClient:
        headers = {"Content-Type": "application/json", "User-Agent": f"tuneproof/{version('tuneproof')}"}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        limits = httpx2.Limits(max_connections=self.server.settings.concurrency)
        # No timeout here: the case's timeout is for an attempt as a whole. A proxy from the environment cannot reach this machine.
        return httpx2.AsyncClient(headers=headers, timeout=None, limits=limits, trust_env=not self.server.is_on_this_machine)

    async def _work(self, http: httpx2.AsyncClient) -> None:
        """One of the concurrent workers: takes prompts until there are none left or the run is to stop."""
        for at in self._pending:
            if self.stop.requested:
                return
            await self._complete_with_retries(http, at)

    async def _complete_with_retries(self, http: httpx2.AsyncClient, at: int) -> None:
        """Sends a request until it is answered or a retry cannot help."""
        attempts = 0
        while True:
            await self._rate_limiter.acquire()
            attempts += 1
            started = time.monotonic()
            result = await self._attempt(http, self.prompts[at])
            if isinstance(result, ServerAnswer):
                self._store(at, result, attempts, round(time.monotonic() - started, 6))
                return
            LOG.info("attempt %d for case %d: %s %s", attempts, at + 1, result.reason, result.detail)
            if not result.retryable or attempts > self.server.settings.retries or (result.retry_after or 0) > MAX_RETRY_AFTER:
                self._give_up(at, result, attempts)
                return
            if result.retry_after is not None:
                self._rate_limiter.pause(result.retry_after)
            else:
                # Jitter, so that not all retries reach an overloaded server at once.
                await asyncio.sleep(min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** (attempts - 1)) * random.uniform(0.75, 1.25))

    async def _attempt(self, http: httpx2.AsyncClient, prompt: str) -> ServerAnswer | FailedAttempt:
        return self._without_api_key(await self._send(http, prompt))

    async def _send(self, http: httpx2.AsyncClient, prompt: str) -> ServerAnswer | FailedAttempt:
        """One request, and what comes back or goes wrong."""
        seconds = self.server.settings.timeout_seconds
        try:
            async with (
                asyncio.timeout(seconds),
                http.stream("POST", f"{self.server.url}/chat/completions", content=prompt.encode()) as response,
            ):
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_REPLY_BYTES:
                        return FailedAttempt(f"reply of more than {MAX_REPLY_BYTES >> 20} MiB")
        except TimeoutError:
            return FailedAttempt(f"no reply within {seconds:g} s")
        except (httpx2.InvalidURL, UnicodeError) as error:
            return FailedAttempt("invalid URL", str(error), FailureKind.WRONG_ADDRESS, retryable=False)
        except httpx2.ConnectError as error:
            return FailedAttempt("no connection", str(error), FailureKind.UNREACHABLE)
        except httpx2.DecodingError as error:
            return FailedAttempt("reply cannot be decoded", str(error))
        except httpx2.HTTPError as error:
            return FailedAttempt("connection lost", str(error))
        if not response.is_success:
            return read_failure(response.status_code, response.headers, bytes(content))
        return read_reply(bytes(content))

    def _without_api_key(self, result: ServerAnswer | FailedAttempt) -> ServerAnswer | FailedAttempt:
        """Removes the API key, which a server may send back, from everything that is written to disk."""
        key = self._api_key
        if isinstance(result, FailedAttempt):
            detail = result.detail.replace(key, "[API key]") if key else result.detail
            if self._secret.is_in(detail):
                detail = "[the message contains the API key]"
            return replace(result, detail=detail[:MAX_DETAIL_LENGTH])
        if self._secret.is_in(result.text):
            return FailedAttempt("reply contains the API key", retryable=False)
        return result

    def _store(self, at: int, answer: ServerAnswer, attempts: int, seconds: float) -> None:
        completion = Completion(
            answer.text,
            answer.prompt_tokens,
            answer.completion_tokens,
            answer.truncated,
            usage_known=answer.usage_known,
            attempts=attempts,
        )
        reply = CachedReply.of(self.cache.key(self.prompts[at]), completion, seconds)
        self.cache.add(reply)
        self._add_completion(at, reply)

    def _add_completion(self, at: int, reply: CachedReply) -> None:
        self.consecutive_failures = 0
        self.answered += 1
        self.seconds += reply.seconds
        self.completions[at] = reply.completion

    def _give_up(self, at: int, failure: FailedAttempt, attempts: int) -> None:
        """Records a prompt without an answer; raises if the prompts that follow would get none either."""
        self.consecutive_failures += 1
        self.completions[at] = Completion(
            "", 0, 0, False, usage_known=False, attempts=attempts, error=failure.reason, error_detail=failure.detail
        )
        affects_all = failure.kind in (FailureKind.UNREACHABLE, FailureKind.UNAUTHORIZED, FailureKind.WRONG_ADDRESS)
        if not self.answered and (affects_all or len(self.completions) == len(self.prompts)):
            raise self._server_failure(failure)
        if self.consecutive_failures >= max(MAX_CONSECUTIVE_FAILURES, 2 * self.server.settings.concurrency):
            raise self._server_failure(failure)

    def _server_failure(self, failure: FailedAttempt) -> TuneproofError:
        """The error for a server that answers no more requests, with what to do about it."""
        url, settings = self.server.url, self.server.settings
        reason = failure.reason + (f": {failure.detail}" if failure.detail else "")
        if failure.kind is FailureKind.UNAUTHORIZED:
            problem = f"{settings.key_env} has the wrong key" if self._api_key else f"{settings.key_env} is not set"
            return RunFailed(f"the endpoint denies access ({reason})", where=url, fix=f"{problem}: set it and add --resume")
        if not self.answered and failure.kind in (FailureKind.WRONG_ADDRESS, FailureKind.REJECTED):
            fix = f"check `url`, `model` ({settings.model}) and `body` under `endpoint`"
            return CaseError(f"the endpoint rejects every request ({reason})", where=url, fix=fix)
        fix = "check that it is running and reachable, then add --resume: answers so far are kept"
        return RunFailed(f"the endpoint does not answer ({reason})", where=url, fix=fix)
