"""What a run is busy with, as one line: a bar, how much is done, the rate, and the time left or gone."""

from __future__ import annotations

from tuneproof.engine.run.events import TUNED_MODEL
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.run.work_in_progress import WorkInProgress
from tuneproof.engine.session.training_actions import clock
from tuneproof.tui.progress import variant_title
from tuneproof.tui.text_bar import bar

BAR = 12

TITLES = {
    Work.STARTING: "starting the worker",
    Work.READING: "reading {about}",
    Work.BASE: "checking the files of the base",
    Work.CHECKING: "checking: {about}",
    Work.PASSING_ROWS: "checking: {about}",
    Work.SUMMARISING: "measuring the rows",
    Work.SPLITTING: "dividing the rows",
    Work.WEIGHTS: "loading the weights",
    Work.CHOOSING_PROMPT: "{about} on validation cases",
    Work.ANSWERING: "{about} on the frozen cases",
    Work.SCORING: "scoring {about}",
    Work.COUNTING: "counting parameters",
    Work.PLANNING: "planning the training",
    Work.TRIAL_STEP: "trial steps of {about}",
    Work.PREPARING: "preparing the training",
    Work.TRAINING: "training",
    Work.PROBING: "answering validation cases",
    Work.MERGING: "merging the adapter into the base",
    Work.BEHAVIOUR: "outside the task: {about}",
    Work.CARD: "writing the card",
    Work.STAGE: "stage {about}",
}


def work_title(work: WorkInProgress) -> str:
    """What the work is, in a few words."""
    if work.work in (Work.TRAINING, Work.PREPARING) and work.about not in ("", TUNED_MODEL):
        return f"{TITLES[work.work]}: {variant_title(work.about)}"
    return TITLES[work.work].format(about=work.about)


def work_line(work: WorkInProgress, now: float) -> str:
    """The work as it is `now`, in seconds since 1970. Where nobody knows how much there is to do, only how long it has taken."""
    return f"{work_title(work)}  {work_amount(work, now)}"


def work_amount(work: WorkInProgress, now: float) -> str:
    """How much of the work is done, at which rate, and the time left."""
    gone = f"{clock(work.elapsed(now))} so far"
    if work.share is None or work.of is None:
        return gone
    left, rate = work.left(now), work.rate
    time = gone if left is None else f"{clock(left)} left"
    speed = "" if rate is None or work.unit in (None, Unit.CHECKS) else f" · {rate_text(rate, work.unit)}"
    # What matters less comes last, where a narrow terminal has no room.
    return f"{bar(work.share, BAR)} {work.done:,} of {work.of:,} · {time}{speed}"


def rate_text(rate: float, unit: Unit) -> str:
    """A rate in units a second, or for slow work in seconds for each."""
    if rate >= 10:
        return f"{rate:,.0f} {unit}/s"
    if rate >= 0.95:
        return f"{rate:.1f} {unit}/s"
    each = 1 / rate
    return f"{each:.1f} s each" if each < 10 else f"{each:,.0f} s each"


def stopping_text(state: RunState) -> str:
    """What happens to the work once a stop was asked for, until the worker has ended."""
    work = state.work
    match work.work if work is not None else None:
        case Work.ANSWERING | Work.CHOOSING_PROMPT | Work.BEHAVIOUR:
            kept = "the answers so far are kept"
        case Work.TRAINING | Work.PROBING:
            kept = "a checkpoint is saved first"
        case _:
            kept = "what is finished is kept"
    return f"stopping…  {kept}; r goes on from there"
