"""Where clients get their tokens (RFC 6749, 4.4, with ``private_key_jwt`` of RFC 7523), and what others check them with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qs
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.runtime.access import clients
from services.runtime.access.assertions import ASSERTION_TYPE, checked_assertion, claimed_client
from services.runtime.access.audit import Pool
from services.runtime.access.bearer import LIFETIME_SECONDS, Issuer
from services.runtime.access.clients import Grant
from services.runtime.access.guard import TOKEN_PATH, Door
from services.runtime.access.issuer_keys import public_set
from services.runtime.access.principal import SCOPES
from services.runtime.access.signed import CLIENT_ALGORITHMS, TokenRefusedError
from services.runtime.problems import MEDIA_TYPE, instance_of

_FORM: Final = "application/x-www-form-urlencoded"
_LARGEST_BYTES: Final = 32 * 1024
# Longer than the assertion itself, so that clocks that differ open no gap.
_REMEMBERED_SECONDS: Final = 60


class TokenAnswer(BaseModel):
    """A token for the ``Authorization`` header of every request."""

    access_token: str
    token_type: Annotated[str, Field(examples=["Bearer"])] = "Bearer"  # noqa: S105 - its name
    expires_in: Annotated[int, Field(examples=[300], description="seconds")]
    scope: Annotated[str, Field(examples=["effects.read measures.read"], description="with spaces between")]


class _OAuthError(Exception):
    """RFC 6749, 5.2: its code, and a text that repeats nothing."""

    def __init__(self, code: str, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class TokenMaker:
    """What the route needs while the gateway runs."""

    issuer: Issuer
    pool: Pool
    door: Door

    async def token(self, form: dict[str, str]) -> tuple[str, TokenAnswer]:
        """The client and its token. Raises :class:`_OAuthError`."""
        if form.get("grant_type") != "client_credentials":
            raise _OAuthError("unsupported_grant_type", "The grant type must be client_credentials.")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            raise _OAuthError("invalid_request", f"A client assertion of the type {ASSERTION_TYPE} is needed.")
        client_id, grant = await self._authenticated(form["client_assertion"], form.get("client_id"))
        scopes = _scopes(form.get("scope"), grant)
        now = int(self.door.clock())
        text = self.issuer.token(client_id, grant.tenant, scopes, str(uuid4()), now)
        return client_id, TokenAnswer(
            access_token=text, expires_in=LIFETIME_SECONDS, scope=" ".join(sorted(scopes))
        )  # fmt: skip

    async def _authenticated(self, text: str, named: str | None) -> tuple[str, Grant]:
        now = self.door.clock()
        moment = datetime.fromtimestamp(now, UTC)
        audiences = (self.issuer.url, self.issuer.url.rstrip("/") + TOKEN_PATH)
        try:
            client_id = claimed_client(text)
            if named not in {None, client_id}:
                raise TokenRefusedError("it is of another client")  # noqa: TRY301 - one way out
            async with self.pool.acquire() as connection:
                keys = await clients.keys_of(connection, client_id, moment)  # type: ignore[arg-type] # a pool's connection
                assertion = checked_assertion(text, keys, audiences, int(now))
                until = datetime.fromtimestamp(assertion.expires + _REMEMBERED_SECONDS, UTC)
                fresh = await clients.first_use(connection, assertion, until, moment)  # type: ignore[arg-type] # as above
                grant = await clients.grant_of(connection, client_id)  # type: ignore[arg-type] # as above
            if not fresh or grant is None:
                raise TokenRefusedError("it was used before")  # noqa: TRY301 - one way out
        except TokenRefusedError as error:
            told = f"The client assertion was refused: {error}."
            raise _OAuthError("invalid_client", told, HTTPStatus.UNAUTHORIZED) from None
        return client_id, grant


def _scopes(asked: str | None, grant: Grant) -> frozenset[str]:
    wanted = frozenset(asked.split()) if asked else grant.scopes
    if not wanted or not wanted <= grant.scopes:
        raise _OAuthError("invalid_scope", "The client has no such scope.")
    return wanted


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise _OAuthError("invalid_request", f"The body must be {_FORM}.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BYTES:
            raise _OAuthError("invalid_request", "The body is too large.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        found = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=16)
    except ValueError:
        raise _OAuthError("invalid_request", f"The body must be {_FORM}.") from None
    if any(len(values) > 1 for values in found.values()):
        raise _OAuthError("invalid_request", "No parameter may be given twice.")
    return {name: values[0] for name, values in found.items()}


def _refusal(request: Request, error: _OAuthError) -> JSONResponse:
    """A problem that is an error of OAuth too: what reads only one of both finds it."""
    document = {
        "title": error.status.phrase,
        "status": error.status,
        "detail": str(error),
        "instance": instance_of(request.state.request_id),
        "error": error.code,
        "error_description": str(error),
    }
    return JSONResponse(document, error.status, media_type=MEDIA_TYPE)


_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "client_assertion_type", "client_assertion"],
                    "properties": {
                        "grant_type": {"type": "string", "const": "client_credentials"},
                        "client_assertion_type": {"type": "string", "const": ASSERTION_TYPE},
                        "client_assertion": {
                            "type": "string",
                            "description": "a JSON Web Token that the client's own key has signed",
                        },
                        "scope": {
                            "type": "string",
                            "description": "fewer scopes than the client has, with spaces between",
                        },
                    },
                }
            }
        },
    }
}


def token_routes(issuer: Issuer) -> APIRouter:
    """The routes of an installation that makes its own tokens."""
    router = APIRouter(tags=["access"])

    @router.post(TOKEN_PATH, summary="Get an access token", response_model=TokenAnswer, openapi_extra=_BODY)
    async def token(request: Request) -> TokenAnswer | JSONResponse:
        """Five minutes of access for a client that proves who it is by its key (client credentials)."""
        maker: TokenMaker = request.app.state.token_maker
        try:
            client_id, answer = await maker.token(await _form(request))
        except _OAuthError as error:
            return _refusal(request, error)
        request.state.authenticated = client_id
        return answer

    @router.get("/oauth/keys", summary="Keys that tokens are checked with")
    async def keys() -> dict[str, Any]:
        """A JSON Web Key Set (RFC 7517)."""
        return public_set(issuer.key)

    @router.get("/.well-known/oauth-authorization-server", summary="What makes the tokens")
    async def metadata() -> dict[str, Any]:
        """Authorization server metadata (RFC 8414)."""
        url = issuer.url.rstrip("/")
        return {
            "issuer": issuer.url,
            "token_endpoint": url + TOKEN_PATH,
            "jwks_uri": f"{url}/oauth/keys",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
            "scopes_supported": list(SCOPES),
            "response_types_supported": [],
        }

    return router
