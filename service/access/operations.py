"""The rules of keys."""

from datetime import timedelta

from sqlalchemy.orm import Session

from service.access import keys, records
from service.access.records import KeyRecord
from service.access.schemas import NewKey
from service.database.caller import Caller
from service.database.record import now
from service.errors import Conflict, NotFound, invalid
from service.ids import new_id


def mint(session: Session, new: NewKey, maker: Caller) -> tuple[KeyRecord, str]:
    """Make a key; return its row, and its text, which is kept nowhere.

    Raises:
        Invalid: it would live longer than the key that makes it.
    """
    id = new_id("key")
    text = keys.new_key()
    name = new.name or id
    record = KeyRecord(
        id=id,
        name=name,
        owner=new.owner or name,
        scope=new.scope,
        hash=keys.digest_of(text),
        made_by=maker.key,
        created_at=now(),
        expires_at=None if new.expires_in is None else now() + new.expires_in,
    )
    own = None if maker.key is None else session.get_one(KeyRecord, maker.key).expires_at
    if own is not None:
        if record.expires_at is None:
            record.expires_at = own
        elif record.expires_at > own:
            detail = f"A key may not outlive the one that makes it, which ends at {own:%Y-%m-%dT%H:%M:%SZ}"
            raise invalid("#/expires_in", f"{detail}: give at most {_seconds(own - now())}.", "outlives_its_maker")
    records.add(session, record)
    return record, text


def _seconds(left: timedelta) -> int:
    return max(0, int(left.total_seconds()))


def revoke(session: Session, reference: str) -> KeyRecord:
    """End a key, by its id or by a name that no other has; what it made stays with its owner.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    found = records.alive(session, reference)
    if not found:
        was = "was revoked before" if records.is_known(session, reference) else "is not known"
        raise NotFound(f"Key {reference!r} {was}: GET /api/keys lists all.", "key_not_found")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found[:6])
        raise Conflict(f"{len(found)} keys have the name {reference!r}: revoke them by id, {ids}.", "several_keys")
    records.revoke(session, found[0].id)
    return found[0]


def move(session: Session, before: str, after: str) -> int:
    """Give all things of one owner to another, and return their number.

    Raises:
        NotFound: that owner has nothing.
        Conflict: both have a thing of the same kind and name.
    """
    taken = records.names_of_both(session, before, after)
    if taken:
        shown = ", ".join(repr(name) for name in taken[:6])
        raise Conflict(f"{before} and {after} both have {shown}: give one of each another name first.", "name_taken")
    moved = records.move(session, before, after)
    if not moved:
        raise NotFound(f"{before!r} owns nothing.", "owner_not_found")
    return moved
