"""The route once the untuned arms have been scored: whether the best prompt falls short is then measured, and the route is drawn again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.case.route import Route, RouteAnswers, choose_route, reason_for, route_steps
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.scoring.verdict import prompt_falls_short


class RedrawnRoute(BaseModel):
    """The route that the measured answer leads to, where it is not the one that the case began with."""

    model_config = ConfigDict(extra="forbid")

    route: Route
    before: Route
    prompt_falls_short: bool
    """The answer as measured."""
    change: Sentence


@dataclass(frozen=True)
class MeasuredRoute:
    """The answers of a run, with the one that the untuned arms answer."""

    answers: RouteAnswers
    before: Route
    """The route of the answers as the case has them."""
    prompts_measured: bool
    """Whether an untuned arm was scored."""

    @property
    def route(self) -> Route:
        """The route to follow."""
        return choose_route(self.answers)

    @property
    def reason(self) -> str:
        """Why it is recommended."""
        return reason_for(self.answers)

    @property
    def steps(self) -> list[str]:
        """What to do next on it."""
        return route_steps(self.answers, prompts_measured=self.prompts_measured)

    @property
    def redrawn(self) -> RedrawnRoute | None:
        """What the measurement changed; None where the route stayed."""
        if self.route is self.before:
            return None
        short = self.answers.prompt_falls_short
        measured = "no untuned arm meets the target" if short else "an untuned arm is shown to meet the target"
        return RedrawnRoute(
            route=self.route,
            before=self.before,
            prompt_falls_short=short,
            change=f"The route was `{self.before}` and is now `{self.route}`: the measurement answers whether the best prompt falls "
            f"short with {'yes' if short else 'no'}, {measured}.",
        )


def measured_route(evidence: Evidence) -> MeasuredRoute:
    """The route of a run as far as it has come. Every arm that the case lists must be scored before it is drawn again."""
    decision = evidence.case.decision.model_dump() | {"labeled_examples": evidence.route.labeled_examples}
    answers, scored = RouteAnswers(**decision), {arm.name for arm in evidence.untuned}
    short = (
        prompt_falls_short(evidence.measure, evidence.untuned)
        if evidence.measure and scored >= set(requested_arms(evidence.case))
        else None
    )
    measured = answers if short is None else replace(answers, prompt_falls_short=short)
    return MeasuredRoute(measured, evidence.route.route, bool(evidence.untuned))
