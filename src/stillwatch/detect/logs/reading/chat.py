"""The shapes of chat requests and answers that several formats share, projected while they are parsed."""

from typing import Any

import msgspec

NULL = msgspec.Raw(b"null")


class Message(msgspec.Struct, gc=False):
    """One message; its content is only decoded if it is the one that is wanted."""

    role: str | None = None
    content: msgspec.Raw = NULL
    parts: msgspec.Raw = NULL


class Part(msgspec.Struct, gc=False):
    """One piece of a message's content."""

    text: Any = None
    content: Any = None
    type: Any = None


class Typed(msgspec.Struct, gc=False):
    """Something of which only the type matters."""

    type: Any = None
    effort: Any = None
    format: "Typed | str | None" = None


class TokenDetails(msgspec.Struct, gc=False):
    """Breakdown of output tokens."""

    reasoning_tokens: Any = None


class Usage(msgspec.Struct, gc=False):
    """Token counts, under the names of either OpenAI interface."""

    prompt_tokens: Any = None
    completion_tokens: Any = None
    input_tokens: Any = None
    output_tokens: Any = None
    completion_tokens_details: TokenDetails | None = None
    output_tokens_details: TokenDetails | None = None

    @property
    def inputs(self) -> Any:
        """Return the input tokens."""
        return self.input_tokens if self.prompt_tokens is None else self.prompt_tokens

    @property
    def outputs(self) -> Any:
        """Return the output tokens."""
        return self.output_tokens if self.completion_tokens is None else self.completion_tokens

    @property
    def reasoning(self) -> Any:
        """Return the reasoning tokens; an answer without the detail used none."""
        details = self.completion_tokens_details or self.output_tokens_details
        tokens = details.reasoning_tokens if details else None
        return 0 if tokens is None else tokens


class Choice(msgspec.Struct, gc=False):
    """One answer; only why it ended matters."""

    finish_reason: Any = None


class Incomplete(msgspec.Struct, gc=False):
    """Why a Responses answer is incomplete."""

    reason: Any = None


class Answer(msgspec.Struct, gc=False):
    """A chat completion or a Responses answer."""

    id: Any = None
    created: Any = None
    created_at: Any = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    status: Any = None
    incomplete_details: Incomplete | None = None

    @property
    def finish_reason(self) -> Any:
        """Return why the first answer ended, in the words of chat completions."""
        if self.choices:
            return self.choices[0].finish_reason
        if self.incomplete_details is not None:
            reason = self.incomplete_details.reason
            return "length" if reason == "max_output_tokens" else reason
        return "stop" if self.status == "completed" else None


class ChatBody(msgspec.Struct, gc=False):
    """The body of a chat-completions or Responses request."""

    model: Any = None
    messages: list[Message] | str | None = None
    input: list[Message] | str | None = None
    instructions: Any = None
    prompt: Any = None
    temperature: Any = None
    top_p: Any = None
    n: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    stream: Any = None
    reasoning_effort: Any = None
    reasoning: Typed | str | None = None
    response_format: Typed | str | None = None
    text: Typed | str | None = None
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    user: Any = None
    safety_identifier: Any = None
    conversation: Any = None


class Told(msgspec.Struct, gc=False):
    """What the messages of one request say.

    Args:
        system: System and developer text.
        prompt: Text of the last user message that has any.
        count: Messages, without system and developer ones.
    """

    system: str | None = None
    prompt: str | None = None
    count: int | None = None


_SYSTEM_ROLES = frozenset({"system", "developer"})
_parts_decoder = msgspec.json.Decoder(list[Part | str | None])
_part_decoder = msgspec.json.Decoder(Part)
_text_decoder = msgspec.json.Decoder(str)


def told(messages: list[Message] | str | None) -> Told:
    """Read what is wanted of a request's messages; earlier turns are not decoded.

    Args:
        messages: As parsed; a bare text is one user message.
    """
    if messages is None:
        return Told()
    if isinstance(messages, str):
        return Told(prompt=messages, count=1)
    systems = [message for message in messages if message.role in _SYSTEM_ROLES]
    prompt = None
    for message in reversed(messages):
        if message.role == "user" and (prompt := text_of_message(message)) is not None:
            break
    system = "\n".join(text for each in systems if (text := text_of_message(each))) if systems else None
    return Told(system or None, prompt, len(messages) - len(systems))


def text_of_message(message: Message) -> str | None:
    """Return the text of one message, None when it has none."""
    raw = bytes(message.content)
    if raw == b"null":
        raw = bytes(message.parts)
    return text_of_content(raw)


def text_of_content(raw: bytes) -> str | None:
    """Return the text of content that is a text or a list of parts; images and tool results are left out."""
    first = raw.lstrip()[:1]
    if first == b'"':
        return _text_decoder.decode(raw)
    if first == b"[":
        texts = [_text_of_part(part) for part in _parts_decoder.decode(raw)]
        joined = "\n".join(text for text in texts if text is not None)
        return joined or None
    if first == b"{":
        return _text_of_part(_part_decoder.decode(raw))
    return None


def _text_of_part(part: Part | str | None) -> str | None:
    """Return the text of one part: `text` as in most interfaces, `content` as in OpenTelemetry."""
    if part is None or isinstance(part, str):
        return part
    if isinstance(part.text, str):
        return part.text
    if isinstance(part.content, str) and part.type in {None, "text"}:
        return part.content
    return None


def type_of(value: Typed | str | None) -> Any:
    """Return the type of something that is given as its type or as an object with one."""
    return value.type if isinstance(value, Typed) else value


def count_of(items: list[msgspec.Raw] | None) -> int:
    """Return how many there are; none given is none."""
    return len(items) if items else 0
