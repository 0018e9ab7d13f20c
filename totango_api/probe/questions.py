"""Questions to a service, and their answers.

Evidence is made of counts, statuses and types: names and values of the service stay out of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from totango_api.errors import ApiError, AuthenticationError
from totango_api.probe.caller import BudgetSpentError, is_refusal, status_text
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from totango_api.probe.caller import Caller

T = TypeVar("T")

ANSWERED: Final = "answered"
NOTHING_TO_ASK: Final = "nothing to ask"
"""The question does not arise: the service holds nothing on which it could be asked."""
FAILED: Final = "failed"
NOT_ASKED: Final = "not asked"


@dataclass(frozen=True)
class Answer:
    """A service's answer to a question.

    Attributes:
        value: The answer in a word or two.
        evidence: What it rests on.
        advice: What is good to set, for people.
        settings: Settings that a profile gives to a plugin.
        details: What a plugin needs to know beside the value.
    """

    value: str
    evidence: str = ""
    advice: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Sequence[str] = ()
    state: str = ANSWERED


@dataclass(frozen=True)
class Question(Generic[T]):
    """A question.

    Attributes:
        name: What stands in a profile and in docs/assumptions.md.
        text: The question, for people.
        calls: Calls that it costs at least, beside those that other questions have made before it.
        ask: Asks a service.
    """

    name: str
    text: str
    calls: int
    ask: Callable[[T], Answer]


@dataclass(frozen=True)
class Result:
    """A question and its answer."""

    name: str
    text: str
    answer: Answer

    @property
    def is_settled(self) -> bool:
        """Whether it was answered, or does not arise."""
        return self.answer.state in {ANSWERED, NOTHING_TO_ASK}


def does_not_arise(why: str) -> Answer:
    """Return the answer to a question that a service gives no occasion to ask."""
    return Answer("does not arise", why, state=NOTHING_TO_ASK)


def asked(question: Question[T], service: T) -> Answer:
    """Ask a question.

    Raises:
        AuthenticationError: If the token is not accepted.
    """
    try:
        return question.ask(service)
    except BudgetSpentError:
        return Answer("?", "no call was left", state=NOT_ASKED)
    except ApiError as error:
        if isinstance(error, AuthenticationError) and not error.is_refusal:
            raise
        why = "refused: " if is_refusal(error) else "could not be asked: "
        return Answer("?", why + status_text(error), state=FAILED)


def ask_all(questions: Sequence[Question[T]], service: T, caller: Caller) -> Iterator[Result]:
    """Ask questions one after another; each leaves enough calls for those behind it.

    Args:
        questions: In the order in which they are asked.
        service: Whom they are asked.
        caller: Makes the calls.

    Raises:
        AuthenticationError: If the token is not accepted.
    """
    needed = sum(question.calls for question in questions)
    for question in questions:
        needed -= question.calls
        caller.reserved = needed
        yield Result(question.name, question.text, asked(question, service))


def summary(results: Sequence[Result], calls: int) -> str:
    """Return how many questions are settled, in a sentence or two, with what to do."""
    states = [one.answer.state for one in results]
    settled = sum(one.is_settled for one in results)
    lines = [f"{settled} of {len(results)} questions are settled, in {counted(calls, 'call')}."]
    if NOT_ASKED in states:
        lines.append(f"{states.count(NOT_ASKED)} were not asked: raise --max-calls.")
    if FAILED in states:
        lines.append(f"{states.count(FAILED)} could not be asked: see the table, and try again.")
    return " ".join(lines)
