"""Gives generated requests what no schema can say: webhooks their signature, and a person's page a signed link.

Schemathesis loads this by ``SCHEMATHESIS_HOOKS``.
"""

import os

import schemathesis

from tests.serving.signed_webhooks import signed

LINK = "NBA_TEST_LINK"
"""Names the environment variable with the token of a person's page."""


@schemathesis.hook
def before_call(context, case, kwargs):
    """Sign what is signed, and let every other page be that of a person."""
    if case.path.startswith("/v1/webhooks/"):
        kwargs["auth"] = _signed
    elif case.path == "/me/{token}" and len(str(case.path_parameters.get("token", ""))) % 2:
        case.path_parameters["token"] = os.environ[LINK]


def _signed(request):
    """Sign a request over the bytes that it has in the end: what is given as ``auth`` sees them last."""
    body = request.body or b""
    request.headers.update(signed(request.url, body.encode() if isinstance(body, str) else body))
    return request
