"""Who looks at a page, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service.api.keys import AccessDenied, Authentication, Claimed
from service.api.sessions import refuse_foreign
from service.core.access import Scope


@dataclass(frozen=True, slots=True)
class Visitor:
    """`name` is that of the key that they signed in with, None where no key is asked for."""

    scopes: frozenset[Scope]
    name: str | None = None

    @property
    def may_read(self) -> bool:
        return Scope.READ in self.scopes

    @property
    def may_upload(self) -> bool:
        return Scope.UPLOAD in self.scopes

    @property
    def may_steer_jobs(self) -> bool:
        return Scope.JOBS in self.scopes

    @property
    def may_administer(self) -> bool:
        return Scope.ADMIN in self.scopes


NOBODY = Visitor(frozenset())


class SignInNeeded(Exception):
    """The page shows something that this visitor may not see."""


def authentication_of(request: Request) -> Authentication:
    authentication: Authentication = request.app.state.running.parts.authentication
    return authentication


def visitor_of(request: Request, claim: Claimed) -> Visitor:
    """Raises `RequestRejected` `request.cross_origin`, keys asked for or not."""
    refuse_foreign(request)
    authentication = authentication_of(request)
    if not authentication.asks_for_keys():
        return Visitor(frozenset(Scope))
    try:
        key = authentication.key_of(claim)
    except AccessDenied:
        return NOBODY
    visitor = Visitor(frozenset(scope for scope in Scope if key.allows(scope)), key.name)
    request.state.visitor = visitor  # for the page of whatever goes wrong from here on
    return visitor


Looking = Annotated[Visitor, Depends(visitor_of)]


def _with(scope: Scope) -> Callable[..., Visitor]:
    """A dependency on a visitor who may use `scope`."""

    def allowed(request: Request, visitor: Looking, claim: Claimed) -> Visitor:
        """Raises `SignInNeeded`, and `AccessDenied` `auth.forbidden` where that would not help."""
        if scope in visitor.scopes:
            return visitor
        if visitor is NOBODY:
            raise SignInNeeded
        authentication_of(request).check(claim, scope)
        return visitor

    return allowed


Reading = Annotated[Visitor, Depends(_with(Scope.READ))]
Uploading = Annotated[Visitor, Depends(_with(Scope.UPLOAD))]
Steering = Annotated[Visitor, Depends(_with(Scope.JOBS))]
Administering = Annotated[Visitor, Depends(_with(Scope.ADMIN))]
