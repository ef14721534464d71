"""Traces by OpenTelemetry: one span per answer, where an endpoint is configured.

The environment configures it as OpenTelemetry's own documentation says (``OTEL_EXPORTER_OTLP_ENDPOINT``,
``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER`` ...); spans go by HTTP in protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from features.errors import UserError
from serving.underway import Underway

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_PASSED_ON = ("traceparent", "tracestate")


class TracingError(UserError):
    """Traces are configured, and what writes them is not installed."""


class Traces:
    """Writes spans; they leave this process from a thread of their own, and are lost where nobody takes them."""

    def __init__(self, provider: Any, tracer: Any, propagator: Any, kind: Any, error: Any) -> None:
        self._provider = provider
        self._tracer = tracer
        self._propagator = propagator
        self._kind = kind
        self._error = error

    def begin(self, headers: Iterable[tuple[bytes, bytes]]) -> Any:
        """Begin the span of a request, below its caller's where the headers name one."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name.decode() in _PASSED_ON}
        context = self._propagator.extract(carrier) if carrier else None
        return self._tracer.start_span("request", context=context, kind=self._kind)

    def end(self, span: Any, seen: Underway, status: int) -> None:
        """End it with what is known of the request by now; never an address, a query or an identity."""
        span.update_name(seen.route)
        span.set_attribute("http.request.method", seen.route.partition(" ")[0])
        span.set_attribute("http.route", seen.route.partition(" ")[2])
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("nba.request_id", seen.request_id)
        if seen.decisions:
            span.set_attribute("nba.decision_ids", seen.decisions)
        if status >= 500:
            span.set_status(self._error)
        span.end()

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def traces(environ: Mapping[str, str]) -> Traces | None:
    """Begin to trace where the environment says so.

    Raises
    ------
    TracingError
        Where OpenTelemetry is not installed.
    """
    if not _is_asked_for(environ):
        return None
    check_tracing(environ)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "nba"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("nba.serving")
    return Traces(provider, tracer, TraceContextTextMapPropagator(), SpanKind.SERVER, Status(StatusCode.ERROR))


def check_tracing(environ: Mapping[str, str]) -> None:
    """Let pass where traces are not asked for, or can be written; imports nothing.

    Raises
    ------
    TracingError
        Where OpenTelemetry is not installed.
    """
    if not _is_asked_for(environ):
        return
    for name in _NEEDED:
        if not _is_installed(name):
            raise TracingError(
                f"traces are asked for by {' or '.join(VARIABLES)}, and {name} is not installed; "
                "`pip install 'nba-service[tracing]'`, or unset the variable"
            )


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(environ.get(name) for name in VARIABLES)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
