"""Calls as bytes: those that nobody has time for are refused before they are parsed."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.refusals import Refusals


def protocol_with(refusals: Refusals) -> type[asyncio.Protocol]:
    """Return the web server's protocol, with a short way for what is refused."""

    class Refusing(HttpToolsProtocol):
        is_between = True
        """Whether the last request that was begun has come to its end."""

        def data_received(self, data: bytes) -> None:
            # Only where nobody is at work on this connection: answers keep the order of their questions.
            if self.is_between and (self.cycle is None or self.cycle.response_complete):
                refusal = refusals.bytes_for(data, self.server_state.default_headers)
                if refusal is not None:
                    self.transport.write(refusal)
                    self.on_response_complete()
                    return
            super().data_received(data)

        def on_message_begin(self) -> None:
            self.is_between = False
            super().on_message_begin()

        def on_message_complete(self) -> None:
            self.is_between = True
            super().on_message_complete()

    return Refusing
