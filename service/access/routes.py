"""The scope that each path and method needs, as the routes of the application declare it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, compile_path

from service.http.key_scopes import Scope, scope_of

LONGEST = 200
"""Characters of a path whose scope is remembered."""


class UndeclaredScope(Exception):
    """A route that does not declare the scope that it needs."""


class RouteTable:
    """The routes of an application, in the order in which its router tries them."""

    def __init__(self, app: FastAPI) -> None:
        """Read the routes.

        Raises:
            UndeclaredScope: one of them declares none.
        """
        routes: Sequence[BaseRoute] = [*app.router.routes, *getattr(app.router, "_low_priority_routes", ())]
        self._routes = [_read(each) for each in iter_route_contexts(routes)]
        self._remembered = lru_cache(1024)(self._search)

    def needed(self, method: str, path: str) -> Scope | None:
        """Return the scope that a request needs; None where no route is for it."""
        return self._remembered(method, path) if len(path) <= LONGEST else self._search(method, path)

    def _search(self, method: str, path: str) -> Scope | None:
        asked = "GET" if method == "HEAD" else method
        for pattern, methods, scope in self._routes:
            if (methods is None or asked in methods) and pattern.match(path):
                return scope
        return None


def _read(route: Any) -> tuple[Any, frozenset[str] | None, Scope]:
    inner = route.original_route
    declared = scope_of(inner.app if isinstance(inner, Mount) else route.endpoint)
    if declared is None or route.path is None:
        raise UndeclaredScope(f"{route.path or inner} declares no scope: write @needs(...) above its function.")
    if isinstance(inner, Mount):
        return inner.path_regex, None, declared
    pattern, _, _ = compile_path(route.path)
    return pattern, frozenset(route.methods or ()), declared
