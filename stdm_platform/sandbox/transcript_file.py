"""Reading a file of chat transcripts into conversations.

Belongs here: the JSON form of transcripts and what is wrong with one. Does not: what becomes of a
conversation (`transcripts.py`).

The file is a list of objects with `traj`, a list of `role`/`content`/`tool_calls` messages in the
OpenAI form, and maybe `reward`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stdm_platform.errors import ArgumentError

ROLES = ("system", "developer", "user", "assistant", "tool")
FORM = "Give a JSON list of objects with `traj`, a list of role/content/tool_calls messages."


@dataclass
class ToolCall:
    """A tool call; `answered` says whether the transcript holds its answer."""

    name: str
    arguments: str | None
    call_id: str | None = None
    answer: str | None = None
    answered: bool = False


@dataclass
class Reply:
    """One assistant message: its text, its tool calls with their answers, and what it replied to."""

    text: str | None
    prompt: str
    calls: list[ToolCall] = field(default_factory=list)


@dataclass
class Turn:
    """A user message (None in a greeting turn) and all that the assistant did about it."""

    user_text: str | None
    replies: list[Reply] = field(default_factory=list)


@dataclass(frozen=True)
class Conversation:
    """One transcript."""

    turns: tuple[Turn, ...]
    reward: float | None

    @property
    def calls(self) -> Iterator[ToolCall]:
        """All tool calls, in order."""
        return (call for turn in self.turns for reply in turn.replies for call in reply.calls)


def read_conversations(path: Path) -> list[Conversation]:
    """The conversations of a transcript file.

    Raises:
        ArgumentError: the file cannot be read or is no list of transcripts; it names the file, the
            index of the transcript and of the message, and the problem.
    """
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ArgumentError(f"{path} is no JSON: {error}.", action=FORM) from error
    if not isinstance(found, list):
        raise ArgumentError(f"{path} holds {_kind(found)} and no list.", action=FORM)
    return [_conversation(item, f"{path}, transcript {index}") for index, item in enumerate(found)]


def _conversation(item: Any, place: str) -> Conversation:
    if not isinstance(item, dict):
        raise _malformed(place, f"is {_kind(item)} and no object")
    messages = item.get("traj")
    if not isinstance(messages, list):
        raise _malformed(place, f"has {_kind(messages)} as `traj` and no list")
    reward = item.get("reward")
    if reward is not None and (isinstance(reward, bool) or not isinstance(reward, int | float)):
        raise _malformed(place, f"has {_kind(reward)} as `reward` and no number")
    if reward is not None and not math.isfinite(reward):
        raise _malformed(place, f"has {reward} as `reward`")
    reader = _Reader()
    for index, message in enumerate(messages):
        reader.take(message, f"{place}, message {index}")
    return Conversation(tuple(reader.turns), None if reward is None else float(reward))


class _Reader:
    """Puts messages together to turns."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.prompt = ""

    def take(self, message: Any, place: str) -> None:
        if not isinstance(message, dict):
            raise _malformed(place, f"is {_kind(message)} and no object")
        role = message.get("role")
        if role not in ROLES:
            raise _malformed(place, f"has the role {role!r}; roles are {', '.join(ROLES)}")
        text = _text(message.get("content"), place)
        if role == "user":
            self.turns.append(Turn(text or ""))
        elif role == "assistant":
            reply = Reply(text if text and text.strip() else None, self.prompt)
            reply.calls = _calls(message.get("tool_calls"), place)
            self._turn().replies.append(reply)
        elif role == "tool":
            self._answer(message, text)
        if role in ("user", "tool"):
            self.prompt = text or ""

    def _turn(self) -> Turn:
        """The turn that is on; what the assistant does before any user message is a greeting."""
        if not self.turns:
            self.turns.append(Turn(None))
        return self.turns[-1]

    def _answer(self, message: dict[str, Any], text: str | None) -> None:
        """Give an answer to its call: by id, else by name; an answer without a call is kept as one."""
        call_id, name = message.get("tool_call_id"), message.get("name")
        turn = self._turn()
        waiting = [
            call
            for one in self.turns
            for reply in one.replies
            for call in reply.calls
            if not call.answered
        ]
        matching = [call for call in waiting if call_id is not None and call.call_id == call_id]
        matching = matching or [call for call in waiting if name is not None and call.name == name]
        if matching:
            call = matching[0]
        else:
            call = ToolCall(str(name or "unknown_tool"), None)
            if not turn.replies:
                turn.replies.append(Reply(None, self.prompt))
            turn.replies[-1].calls.append(call)
        call.answer, call.answered = text, True


def _calls(found: Any, place: str) -> list[ToolCall]:
    if found is None:
        return []
    if not isinstance(found, list):
        raise _malformed(place, f"has {_kind(found)} as `tool_calls` and no list")
    calls = []
    for index, item in enumerate(found):
        function = item.get("function") if isinstance(item, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or not name:
            raise _malformed(place, f"has no `function.name` in tool call {index}")
        calls.append(ToolCall(name, _text(function.get("arguments"), place), item.get("id")))
    return calls


def _text(content: Any, place: str) -> str | None:
    """Content as text: parts of text are joined, other objects and lists become JSON."""
    if content is None:
        return None
    if isinstance(content, str):
        return _encodable(content)
    if isinstance(content, dict | list):
        parts = _parts(content) if isinstance(content, list) else None
        if parts:
            return _encodable("\n".join(parts))
        return _encodable(json.dumps(content, ensure_ascii=False))
    raise _malformed(place, f"has {_kind(content)} as content and no text, object, list or null")


def _parts(content: list[Any]) -> list[str] | None:
    """The texts of a list of text parts; None if it is another list."""
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    found = [text for text in texts if isinstance(text, str)]
    return found if len(found) == len(texts) else None


def _encodable(text: str) -> str:
    """JSON escapes can hold half a surrogate pair, which no UTF-8 column takes."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _malformed(place: str, problem: str) -> ArgumentError:
    return ArgumentError(f"{place}: it {problem}.", action=FORM)


def _kind(value: Any) -> str:
    names = {
        type(None): "nothing",
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a boolean",
    }
    return names.get(type(value), "a number")
