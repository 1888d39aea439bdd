"""Asking a server for every case, some at a time: again where that can help, and giving up on a case, or on the server, where not."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

import httpx2

from tuneproof.engine.core.errors import CaseError, RunFailed, TuneproofError
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.endpoint.rate_limit import RateLimiter
from tuneproof.engine.endpoint.reply import FailedAttempt, ServerAnswer, read_failure, read_reply
from tuneproof.engine.endpoint.reply_cache import CachedReply, ReplyCache
from tuneproof.engine.endpoint.server import Server
from tuneproof.engine.run.stop import StopRequest

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the second attempt, doubled before each further one, and where doubling ends."""

LONGEST_ASKED = 120.0
"""Seconds that a server may ask to wait; where it asks for more, the case has no answer."""

IN_A_ROW = 10
"""So many cases in a row without an answer, and at least twice as many as are asked at a time: the server is gone, no case at fault."""

LARGEST = 16 << 20
"""Bytes of a reply; what is longer is no answer to a case."""

LONGEST_TOLD = 300
"""Characters kept of what a server says about a failure."""

SHORTEST_SECRET = 6
"""A shorter key is a word such as EMPTY, which local servers take for one, and may well stand in an answer."""

TICK, GRACE = 0.1, 5.0
"""Seconds between two looks at whether to stop, and for requests that are under way then."""

LOG = logging.getLogger(__name__)
# At its usual level it writes a line for every request.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class EndpointClient:
    """A server as the one who answers, `room` tokens at most; what it answered is kept in a file until nobody needs it any more."""

    server: Server
    room: int
    kept: Path
    stop: StopRequest

    def prompt(self, messages: Sequence[Message]) -> str:
        """The body of the request."""
        return self.server.request(messages, self.room)

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, those without an answer among them, and the seconds that the answers took.

        The seconds are those of the attempts that were answered, one after the other; waiting for one's turn is not among them. Raises
        CaseError where the server takes no request at all, RunFailed where it is not there or has gone, and Interrupted as asked.
        """
        with ReplyCache(self.kept, self.server.url) as kept:
            asking = _Asking(self.server, prompts, kept, self.stop)
            asyncio.run(asking.all(on_progress))
        return [asking.done[row] for row in range(len(prompts))], asking.seconds


@dataclass
class _Asking:
    """One pass over all prompts."""

    server: Server
    prompts: Sequence[str]
    kept: ReplyCache
    stop: StopRequest
    done: dict[int, Completion] = field(default_factory=dict)
    seconds: float = 0.0
    in_a_row: int = 0
    answered: int = 0

    def __post_init__(self) -> None:
        self._key = self.server.key()
        self._pace = RateLimiter(self.server.settings.requests_per_minute)
        for row, prompt in enumerate(self.prompts):
            if (answer := self.kept.find(prompt)) is not None:
                self._take_kept(row, answer)
        self._rows = iter([row for row in range(len(self.prompts)) if row not in self.done])

    async def all(self, on_progress: Callable[[int, int], None]) -> None:
        """Asks for what was not kept from before."""
        told = 0
        async with self._http() as http:
            workers = {asyncio.create_task(self._work(http)) for _ in range(self.server.settings.concurrency)}
            try:
                while workers:
                    ended, workers = await asyncio.wait(workers, timeout=TICK, return_when=asyncio.FIRST_EXCEPTION)
                    if self.stop.asked and workers:
                        # What is under way is paid for already.
                        ended |= (await asyncio.wait(workers, timeout=GRACE, return_when=asyncio.FIRST_EXCEPTION))[0]
                    for task in ended:
                        task.result()
                    if len(self.done) > told or self.stop.asked:
                        told = len(self.done)
                        on_progress(told, len(self.prompts))
            finally:
                for task in workers:
                    task.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    def _http(self) -> httpx2.AsyncClient:
        headers = {"Content-Type": "application/json", "User-Agent": f"tuneproof/{version('tuneproof')}"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        limits = httpx2.Limits(max_connections=self.server.settings.concurrency)
        # The time limit is for an attempt as a whole, and a proxy of the environment does not stand before this machine itself.
        return httpx2.AsyncClient(headers=headers, timeout=None, limits=limits, trust_env=not self.server.is_on_this_machine)

    async def _work(self, http: httpx2.AsyncClient) -> None:
        """One of those who ask: takes the next prompt that nobody has taken."""
        for row in self._rows:
            if self.stop.asked:
                return
            await self._ask(http, row)

    async def _ask(self, http: httpx2.AsyncClient, row: int) -> None:
        """Asks until there is an answer or no use in asking again."""
        attempts = 0
        while True:
            await self._pace.turn()
            attempts += 1
            started = time.monotonic()
            found = await self._attempt(http, self.prompts[row])
            if isinstance(found, ServerAnswer):
                seconds = round(time.monotonic() - started, 6)
                self._take(row, found, attempts, seconds)
                return
            LOG.info("attempt %d for case %d: %s %s", attempts, row + 1, found.what, found.said)
            if not found.again or attempts > self.server.settings.retries or (found.wait or 0) > LONGEST_ASKED:
                self._give_up(row, found, attempts)
                return
            if found.wait is not None:
                self._pace.wait(found.wait)
            else:
                # Not all at the same moment: that is what a server that is overrun cannot take.
                await asyncio.sleep(min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1)) * random.uniform(0.75, 1.25))

    async def _attempt(self, http: httpx2.AsyncClient, prompt: str) -> ServerAnswer | FailedAttempt:
        seconds = self.server.settings.timeout_seconds
        try:
            async with (
                asyncio.timeout(seconds),
                http.stream("POST", f"{self.server.url}/chat/completions", content=prompt.encode()) as response,
            ):
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST:
                        return FailedAttempt(f"a reply of more than {LARGEST >> 20} MiB")
        except TimeoutError:
            return FailedAttempt(f"no reply within {seconds:g} s")
        except (httpx2.InvalidURL, UnicodeError) as error:
            return FailedAttempt("an address that is none", str(error), again=False, misplaced=True, refused=True)
        except httpx2.ConnectError as error:
            return self._without_key(FailedAttempt("no connection", str(error), misplaced=True))
        except httpx2.DecodingError as error:
            return self._without_key(FailedAttempt("a reply that cannot be read", str(error)))
        except httpx2.HTTPError as error:
            return self._without_key(FailedAttempt("the connection broke", str(error)))
        if not response.is_success:
            return self._without_key(read_failure(response.status_code, response.headers, bytes(content)))
        return self._without_key(read_reply(bytes(content)))

    def _without_key(self, found: ServerAnswer | FailedAttempt) -> ServerAnswer | FailedAttempt:
        """The same with nothing in it that could be written down and has the key: a server may send back what it was sent."""
        key = self._key
        if isinstance(found, FailedAttempt):
            said = found.said.replace(key, "[the key]") if key else found.said
            return replace(found, said=said[:LONGEST_TOLD])
        if key and len(key) >= SHORTEST_SECRET and key in found.text:
            return FailedAttempt("an answer with the key in it", again=False)
        return found

    def _take(self, row: int, answer: ServerAnswer, attempts: int, seconds: float) -> None:
        kept = CachedReply(
            request=self.kept.digest(self.prompts[row]),
            text=answer.text,
            truncated=answer.truncated,
            prompt_tokens=answer.prompt_tokens,
            tokens=answer.tokens,
            tokens_told=answer.tokens_told,
            attempts=attempts,
            seconds=seconds,
        )
        self.kept.add(kept)
        self._take_kept(row, kept)

    def _take_kept(self, row: int, kept: CachedReply) -> None:
        self.in_a_row = 0
        self.answered += 1
        self.seconds += kept.seconds
        self.done[row] = Completion(
            kept.text, kept.prompt_tokens, kept.tokens, kept.truncated, tokens_told=kept.tokens_told, attempts=kept.attempts
        )

    def _give_up(self, row: int, problem: FailedAttempt, attempts: int) -> None:
        """Puts the case down as one without an answer; raises where the next ones cannot fare better."""
        self.in_a_row += 1
        self.done[row] = Completion("", 0, 0, False, False, attempts, problem.what, problem.said)
        nowhere = not self.answered and problem.misplaced
        if nowhere or self.in_a_row >= max(IN_A_ROW, 2 * self.server.settings.concurrency):
            raise self._gone(problem)
        if len(self.done) == len(self.prompts) and not self.answered:
            raise self._gone(problem)

    def _gone(self, problem: FailedAttempt) -> TuneproofError:
        """Why there is no use in asking for the other cases, and what to do about it."""
        told = problem.what + (f": {problem.said}" if problem.said else "")
        where = self.server.url
        settings = self.server.settings
        if problem.status == HTTPStatus.UNAUTHORIZED:
            told_key = f"{settings.key_env} has the wrong key" if self._key else f"{settings.key_env} is not set"
            return RunFailed(f"the endpoint does not let us in ({told})", where=where, fix=f"{told_key}: set it and add --resume")
        if self.answered or not problem.refused:
            fix = "see that it is up and reachable, then add --resume: what it has answered is kept"
            return RunFailed(f"the endpoint does not answer ({told})", where=where, fix=fix)
        fix = f"look at `url`, `model` ({settings.model}) and `body` under `endpoint`"
        return CaseError(f"the endpoint takes no request ({told})", where=where, fix=fix)
