"""Keys over HTTP."""

from fastapi import APIRouter, Response

from service.access import operations, records
from service.access.schemas import Key, MadeKey, NewKey
from service.database.caller import Caller, caller
from service.errors import Forbidden
from service.http.key_scopes import ADMIN, needs
from service.http.pages import After, Limit, Page
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.resources import DatabaseOf

router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=JSONRoute)


def _with_a_key() -> Caller:
    """Return the caller, which has shown a key: without one nobody may make or end any, where nothing else needs one.

    Raises:
        Forbidden: it has shown none.
    """
    if caller().key is None:
        detail = "Keys are for those who have one of the scope `admin`: `descent keys create --scope admin`, on the "
        raise Forbidden(f"{detail}machine of the service, makes the first.", "no_key")
    return caller()


@router.post("", status_code=201, summary="Make a key", responses=problems(413, 415, 422))
@needs(ADMIN)
def create_key(new: NewKey, response: Response, database: DatabaseOf) -> MadeKey:
    """Make a key, and show it this once: only its hash is kept. It lives no longer than the key that makes it.

    The first one is made by `descent keys create`, and closes the service to requests without any. What is made with a
    key belongs to its owner; keys of one owner reach the same things, so that one can take over from another.

    An `Idempotency-Key` has no effect here: the answer that is kept for it would hold the key. Where an answer is lost,
    revoke the key by its name and make another.
    """
    maker = _with_a_key()
    with database.transaction() as session:
        record, text = operations.mint(session, new, maker)
        made = MadeKey.model_validate({**vars(Key.model_validate(record)), "key": text})
    response.headers["Location"] = f"/api/keys/{made.id}"
    response.headers["Cache-Control"] = "no-store"
    return made


@router.get("", summary="List keys", responses=problems(422))
@needs(ADMIN)
def list_keys(database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Key]:
    """The keys of all owners, revoked and expired ones too, newest first."""
    _with_a_key()
    with database.reading() as session:
        items, following = records.page(session, limit, after)
        return Page(items=[Key.model_validate(each) for each in items], next=following)


@router.delete(
    "/{key}", status_code=204, response_class=Response, summary="Revoke a key", responses=problems(404, 409, 422)
)
@needs(ADMIN)
def revoke_key(key: str, database: DatabaseOf) -> None:
    """End a key, by id or name, within a second in all replicas: streams, waits and uploads of its end, too.

    What was made with it stays with its owner.
    """
    _with_a_key()
    with database.transaction() as session:
        operations.revoke(session, key)
