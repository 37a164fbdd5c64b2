"""The sign-in of browsers, which keep a cookie in place of a key."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.access import keys, records
from service.access.records import SignInRecord
from service.access.schemas import KeyScope
from service.database.record import now
from service.errors import Forbidden, Unauthorized
from service.http.browsers import cookie
from service.http.browsers.proxies import Proxies
from service.http.key_scopes import ANY, OPEN, needs
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.resources import DatabaseOf, resources_of
from service.wire import Strict

router = APIRouter(prefix="/api/sign-in", tags=["keys"], route_class=JSONRoute)


class SignIn(Strict):
    """A key with which a browser signs in."""

    key: Annotated[str, Field(strict=True, max_length=200, description="the key, which the browser need not keep")]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"key": "dsc_..."}]})


class SignedIn(BaseModel):
    """A browser that has signed in."""

    owner: str = Field(description="the owner for whom it works")
    scope: KeyScope
    expires_at: datetime = Field(description="when it has to sign in again, unless its key ends before")


@router.post("", summary="Sign in", responses=problems(401, 403, 413, 415, 422))
@needs(OPEN)
def sign_in(given: SignIn, request: Request, response: Response, database: DatabaseOf) -> SignedIn:
    """Set a cookie that stands for the key for 12 hours, or until that ends; scripts cannot read it.

    A request with it has to come from a page of this service: `Sec-Fetch-Site` or `Origin` says so, or it is 403.
    """
    if "origin" in request.headers and "sec-fetch-site" not in request.headers:  # as browsers send under plain http
        detail = "Browsers sign in under https, or on localhost: open this page there."
        raise Forbidden(detail, "insecure_sign_in")
    digest = keys.digest_of(given.key)
    holder = records.holder(database, digest) if keys.is_key(given.key) else None
    if holder is None or (holder.expires_at is not None and holder.expires_at <= now()):
        raise Unauthorized("This key is not known here, was revoked, or has expired.", "key_not_good")
    value = secrets.token_urlsafe(32)
    ends = now() + cookie.LIFE
    with database.transaction() as session:
        records.sign_in(session, SignInRecord(hash=keys.digest_of(value), key_id=holder.key, expires_at=ends))
    response.headers["Set-Cookie"] = cookie.setting(_scheme(request), value)
    response.headers["Cache-Control"] = "no-store"
    ends = ends if holder.expires_at is None else min(ends, holder.expires_at)
    return SignedIn.model_validate({"owner": holder.owner, "scope": holder.scope, "expires_at": ends})


@router.delete("", status_code=204, response_class=Response, summary="Sign out", responses=problems(422))
@needs(ANY)
def sign_out(request: Request, database: DatabaseOf) -> Response:
    """End the cookie, here and in the browser; what it began (streams, waits) ends within a second."""
    scheme = _scheme(request)
    for value in cookie.values(request.scope, scheme):
        with database.transaction() as session:
            records.sign_out(session, keys.digest_of(value))
    return Response(status_code=204, headers={"Set-Cookie": cookie.setting(scheme, "")})


def _scheme(request: Request) -> str:
    return Proxies(resources_of(request).settings.proxies).address_of(request.scope).scheme
