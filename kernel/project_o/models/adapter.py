"""pydantic-ai behind the seam: the only module that knows it. Loaded when a real model is opened.

Its low-level requests are used, not its agents: the loop of tools, the limits, the attempts and the errors are ours.
Requests are always streamed. OpenAI, Ollama and local servers are asked by OpenAI's chat completions (``POST
/chat/completions``, events ended by ``[DONE]``), Anthropic by its messages (``POST /v1/messages``).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from .. import limits
from ..values import Usage
from .endpoint import Endpoint, Patience
from .remote import RemoteModel, Sink
from .seam import Finish, Message, Reply, ToolCall, ToolSpec
from .trouble import Kind, Trouble

NO_KEY = "none"  # the client insists on a text; servers of one's own ask for none
FINISHED: dict[str, Finish] = {"stop": "stop", "length": "length", "tool_call": "tools", "content_filter": "filter"}


def open_adapter(endpoint: Endpoint, patience: Patience) -> RemoteModel:
    """The model at ``endpoint``. Nothing is sent yet."""

    def wire() -> PydanticWire:
        try:
            return PydanticWire(endpoint, patience)
        except Exception as error:  # noqa: BLE001 - the boundary to a foreign library: all of it becomes Trouble
            raise trouble_of(error) from None

    return RemoteModel(endpoint, wire, patience)


class PydanticWire:
    """One model of pydantic-ai with its connections, on the event loop that made it."""

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        self._endpoint = endpoint
        self._http = _http_client(endpoint, patience)
        self._model, self._embedder = _clients(endpoint, self._http)

    async def answer(self, messages: Sequence[Message], tools: Sequence[ToolSpec], sink: Sink) -> Reply:
        """One streamed request. Raises Trouble for whatever goes wrong."""
        try:
            return await self._answer(messages, tools, sink)
        except Trouble:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary to a foreign library: all of it becomes Trouble
            raise trouble_of(error) from None

    async def _answer(self, messages: Sequence[Message], tools: Sequence[ToolSpec], sink: Sink) -> Reply:
        parameters = ModelRequestParameters(function_tools=[_definition(tool) for tool in tools])
        async with self._model.request_stream(conversation(messages), self._settings(messages), parameters) as stream:
            try:
                async for event in stream:
                    _receive(event, sink)
            finally:
                used = stream.usage.input_tokens, stream.usage.output_tokens
                sink.spend(Usage(1, *used, list_price(self._endpoint, *used)))
            response = stream.get()
        calls = tuple(_call(part) for part in response.parts if isinstance(part, ToolCallPart))
        text = "".join(sink.pieces)
        finish = FINISHED.get(response.finish_reason or "")
        if finish is None:
            raise Trouble("cut")
        if not calls and not text:
            if finish == "filter":
                raise Trouble("filtered")
            if not (finish == "stop" and messages and messages[-1].role == "tool"):  # after its tools it may be done
                raise Trouble(
                    "empty", "its answer has reached its length before it began" if finish == "length" else ""
                )
        return Reply(text, calls, sink.usage, response.model_name or self._endpoint.model, finish)

    def _settings(self, messages: Sequence[Message]) -> Any:
        """A grammar goes to servers of one's own alone: llama.cpp takes one, services refuse what they do not know."""
        grammar = messages[-1].grammar if messages else ""
        return {"extra_body": {"grammar": grammar}} if grammar and self._endpoint.provider == "local" else None

    async def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], Usage]:
        """One request for vectors. Raises Trouble, also where the provider has none."""
        if self._embedder is None:
            raise Trouble("no embeddings")
        try:
            # Plain numbers: not every compatible server knows the packed form that the client would ask for.
            packing = {"extra_body": {"encoding_format": "float"}}
            answer = await self._embedder.embed(list(texts), input_type="document", settings=packing)
            vectors = [[float(number) for number in vector] for vector in answer.embeddings]
        except Exception as error:  # noqa: BLE001 - the boundary to a foreign library: all of it becomes Trouble
            raise trouble_of(error) from None
        used = answer.usage.input_tokens
        return vectors, Usage(1, used, 0, list_price(self._endpoint, used, 0))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def list_price(endpoint: Endpoint, tokens_in: int, tokens_out: int) -> float:
    """Dollars by the provider's list; 0 for a model that the list has not, and for a server of one's own."""
    if endpoint.provider not in ("openai", "anthropic") or endpoint.loopback:
        return 0.0
    import genai_prices

    used = genai_prices.Usage(input_tokens=tokens_in, output_tokens=tokens_out)
    try:
        price = genai_prices.calc_price(used, model_ref=endpoint.model, provider_id=endpoint.provider)
    except LookupError:
        return 0.0
    return float(price.total_price)


# --------------------------------------------------------------------------- clients


def _http_client(endpoint: Endpoint, patience: Patience) -> httpx2.AsyncClient:
    timeout = httpx2.Timeout(patience.silence_seconds, connect=patience.connect_seconds)

    async def bound(response: httpx2.Response) -> None:
        if response.is_redirect:  # not followed: the key would go along
            raise Trouble("moved", response.headers.get("location", ""))
        kind = response.headers.get("content-type", "")
        line = limits.MODEL_EVENT_BYTES_MAX if kind.startswith("text/event-stream") else patience.reply_bytes
        response.stream = _Bounded(response.stream, patience.reply_bytes, line)
        if response.is_success and kind.startswith("text/html"):  # a login page, a proxy, a wrong path
            raise Trouble("malformed", (await response.aread()).decode(errors="replace"))
        if response.is_success and kind.startswith("application/json") and not _is_embedding(response):
            raise Trouble("malformed", f"no stream of events, but {kind}")

    return httpx2.AsyncClient(
        timeout=timeout,
        follow_redirects=False,
        # A proxy that the environment names is for the world outside, also where NO_PROXY forgets this machine.
        trust_env=not endpoint.loopback,
        # The list of authorities takes 40 ms to read, and plain HTTP has no use for it.
        verify=not endpoint.url.startswith("http://"),
        event_hooks={"response": [bound]},
    )


def _is_embedding(response: httpx2.Response) -> bool:
    return bool(response.request.url.path.endswith("/embeddings"))


class _Bounded(httpx2.AsyncByteStream):  # type: ignore[misc]  # the library's types are not read
    """A body of at most so many bytes, and so many between two ends of lines: who splits it keeps an open line whole,
    and looks through it again at each chunk.
    """

    def __init__(self, stream: Any, bytes_max: int, line_bytes_max: int) -> None:
        self._stream = stream
        self._room = bytes_max
        self._line_bytes_max = line_bytes_max

    async def __aiter__(self) -> AsyncIterator[bytes]:
        line = 0
        async for chunk in self._stream:
            self._room -= len(chunk)
            newline = chunk.rfind(b"\n")
            line = line + len(chunk) if newline < 0 else len(chunk) - newline - 1
            if self._room < 0 or line > self._line_bytes_max:
                raise Trouble("long", "it has sent too many bytes without them")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _clients(endpoint: Endpoint, http: httpx2.AsyncClient) -> tuple[Any, Any]:
    """The chat model and the embedder (None where the provider has none) of pydantic-ai."""
    key = endpoint.key.reveal() or NO_KEY
    if endpoint.provider == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        client = AsyncAnthropic(
            api_key=key, base_url=endpoint.url, max_retries=0, timeout=http.timeout, http_client=http
        )
        return AnthropicModel(endpoint.model, provider=AnthropicProvider(anthropic_client=client)), None

    from openai import AsyncOpenAI
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.ollama import OllamaProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(api_key=key, base_url=endpoint.url, max_retries=0, timeout=http.timeout, http_client=http)
    if endpoint.provider != "openai":
        # The client has read what the environment says for OpenAI: that is no business of other servers.
        client.organization = client.project = client.admin_api_key = None
        client._custom_headers = {}  # the library has no other way to take back OPENAI_CUSTOM_HEADERS
    ollama = endpoint.provider == "ollama"
    provider = OllamaProvider(openai_client=client) if ollama else OpenAIProvider(openai_client=client)
    # Without a finish reason a broken connection looks like an end.
    profile = {"openai_chat_streaming_requires_finish_reason": True}
    chat = (OllamaModel if ollama else OpenAIChatModel)(endpoint.model, provider=provider, profile=profile)
    return chat, OpenAIEmbeddingModel(endpoint.model, provider=provider)


# --------------------------------------------------------------------------- our values and theirs


def conversation(messages: Sequence[Message]) -> list[ModelMessage]:
    """Our messages as theirs: what stands between two answers is one request, as the protocols want it."""
    names = {call.id: call.name for message in messages for call in message.calls}
    found: list[Any] = []
    for message in messages:
        if message.role == "assistant":
            parts: list[Any] = [TextPart(message.text)] if message.text else []
            parts += [ToolCallPart(call.name, json.dumps(dict(call.arguments)), call.id) for call in message.calls]
            found.append(ModelResponse(parts=parts))
            continue
        if message.role == "system":
            part: Any = SystemPromptPart(message.text)
        elif message.role == "tool":
            part = ToolReturnPart(names.get(message.call_id, "tool"), message.text, message.call_id)
        else:
            part = UserPromptPart(message.text)
        if found and isinstance(found[-1], ModelRequest):
            found[-1] = ModelRequest(parts=[*found[-1].parts, part])
        else:
            found.append(ModelRequest(parts=[part]))
    return found


def _definition(tool: ToolSpec) -> ToolDefinition:
    schema = {"type": "object", "properties": {}, **tool.parameters}
    # Not strict: providers then accept any JSON schema, and what comes back is checked here anyway.
    return ToolDefinition(
        name=tool.name, parameters_json_schema=schema, description=tool.description or None, strict=False
    )


def _receive(event: Any, sink: Sink) -> None:
    """Text goes on at once; the rest is only weighed, and read from the whole response."""
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        sink.text(event.part.content)
    elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        sink.text(event.delta.content_delta)
    elif isinstance(event, PartDeltaEvent):
        added = getattr(event.delta, "args_delta", None) or getattr(event.delta, "content_delta", None) or ""
        sink.weigh(len(added) if isinstance(added, str) else len(json.dumps(added)))


def _call(part: ToolCallPart) -> ToolCall:
    """The call with its arguments read; what cannot be read is told in ``problem``."""
    raw = part.args if part.args is not None else {}
    problem = ""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else {}
        except ValueError as error:
            raw, problem = {}, f"the arguments are no valid JSON ({error}); send them again, as one JSON object"
    if not isinstance(raw, dict):
        raw, problem = {}, f"the arguments are {type(raw).__name__}; send them again, as one JSON object"
    return ToolCall(part.tool_call_id, part.tool_name, raw, problem)


# --------------------------------------------------------------------------- their errors and ours


def trouble_of(error: Exception) -> Trouble:
    """What a foreign exception means. Only texts leave here: the exception itself may hold the request's headers."""
    inner: BaseException | None = error
    while inner is not None:  # ours, wrapped by one of the libraries on its way
        if isinstance(inner, Trouble):
            return inner
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, theirs.ModelHTTPError):
        final = isinstance(error, theirs.ModelQuotaExceededError) or error.provider_retry_hint is False
        after = max(0.0, error.retry_after or 0.0)
        kind: Kind = "reported" if error.in_stream else "status"
        return Trouble(kind, _words(error.body), status=error.status_code, after_seconds=after, final=final)
    if isinstance(error, theirs.ModelConnectionError):
        early = error.phase in ("connect", "pool")
        if isinstance(error, theirs.ModelTimeoutError):
            return Trouble("unreachable" if early else "silent")
        return Trouble("refused" if early else "cut", "" if early else error.message)
    if isinstance(error, httpx2.TimeoutException):
        return Trouble("unreachable" if isinstance(error, httpx2.ConnectTimeout) else "silent")
    if isinstance(error, httpx2.TransportError):
        return Trouble("refused" if isinstance(error, httpx2.ConnectError) else "cut", str(error))
    if isinstance(error, theirs.ModelAPIError):
        if "finish_reason" in error.message and not error.in_stream:
            return Trouble("cut")
        return Trouble("reported" if error.in_stream else "malformed", _words(error.body) or error.message)
    if isinstance(error, theirs.ContentFilterError):
        return Trouble("filtered")
    if isinstance(error, theirs.UnexpectedModelBehavior):
        return Trouble("empty" if "without content" in error.message else "malformed", error.message)
    return Trouble("other", f"{type(error).__name__}: {error}")


def _words(body: object) -> str:
    """The server's own sentence in the body of its error, wherever it keeps it."""
    while isinstance(body, dict):
        inner = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), None)
        if inner is None:
            return json.dumps(body, default=str)
        body = inner
    return "" if body is None else str(body)
