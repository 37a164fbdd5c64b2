"""The tables of reports, and every query on them."""

from collections.abc import Iterator

from sqlalchemy import ForeignKey, Select, bindparam, func, insert, literal, select, union_all, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database.record import Record
from service.jobs.reports.packing import BLOCK, FIELDS, Block, Reports, joined, pack, reports_of, unpack

SHORT_STRETCH = 32
"""Epochs of a stretch that is read as a whole."""
BLOCKS_AT_ONCE = 200
"""Blocks read from the database at a time: some megabytes."""


class EpochRecord(Record):
    """The report of one epoch, in databases from before blocks of reports; no rows are added any more."""

    __tablename__ = "epochs"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    train_loss: Mapped[float]
    validation_loss: Mapped[float | None]
    rate: Mapped[float | None]
    gradient_norm: Mapped[float | None]
    seconds: Mapped[float]


class ReportsRecord(Record):
    """A block of the reports of a job, packed."""

    __tablename__ = "reports"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The epoch of the first report."""
    length: Mapped[int]
    columns: Mapped[bytes]


def read(session: Session, job: str, from_epoch: int, limit: int) -> Reports:
    """Reports of a job from an epoch on, oldest first: those that are rows, and behind them those in blocks."""
    statement = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch >= from_epoch)
    rows = session.execute(statement.order_by(EpochRecord.epoch).limit(limit)).all()
    wanted = limit - len(rows)
    if not wanted:
        return reports_of(rows)
    few = _reaching(job, from_epoch).limit(-(-wanted // BLOCK) + 1)  # the first may begin before `from_epoch`
    found = joined([reports_of(rows), *map(unpack, _blocks(session, few))])
    return found[int(found.epochs.searchsorted(from_epoch)) :][:limit]


def blocks(session: Session, job: str, from_epoch: int) -> Iterator[Reports]:
    """All packed reports from an epoch on, block by block."""
    for block in _blocks(session, _reaching(job, from_epoch).execution_options(yield_per=BLOCKS_AT_ONCE)):
        yield unpack(block)[max(0, from_epoch - block.epoch) :]


def _blocks(session: Session, statement: Select[int, int, bytes]) -> Iterator[Block]:
    for epoch, length, columns in session.execute(statement):
        yield Block(epoch, length, columns)


def _reaching(job: str, from_epoch: int) -> Select[int, int, bytes]:
    statement = select(ReportsRecord.epoch, ReportsRecord.length, ReportsRecord.columns)
    reaching = ReportsRecord.epoch > from_epoch - BLOCK
    return statement.where(ReportsRecord.job_id == job, reaching).order_by(ReportsRecord.epoch)


def extreme_rows(session: Session, job: str, first: int, last: int, stretch: int) -> Reports:
    """Reports that are rows: epochs `first` and `last`, and in each stretch between, the first ones with its least and
    greatest loss; all of them where stretches are short.

    Each stretch is a range of the primary key, read twice: grouping the reports would sort all of them. A search costs
    as much as reading some dozen rows.
    """
    every = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch >= first)
    if stretch <= SHORT_STRETCH or session.execute(every.limit(1)).first() is None:
        return reports_of(session.execute(every.order_by(EpochRecord.epoch)).all())
    starts = select(literal(first).label("start")).cte("starts", recursive=True)
    following = starts.c.start + stretch
    starts = starts.union_all(select(following).where(following <= last))
    within = EpochRecord.job_id == job, EpochRecord.epoch.between(starts.c.start, starts.c.start + stretch - 1)
    extremes = (
        select(EpochRecord.epoch).where(*within).order_by(order, EpochRecord.epoch).limit(1).scalar_subquery()
        for order in (EpochRecord.train_loss, EpochRecord.train_loss.desc())
    )
    chosen = union_all(
        *(select(epoch).select_from(starts) for epoch in extremes), select(literal(first)), select(literal(last))
    )
    statement = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch.in_(chosen))
    return reports_of(session.execute(statement.order_by(EpochRecord.epoch)).all())


_FIELDS_OF_ROWS = tuple(getattr(EpochRecord, field) for field in FIELDS)


def add(session: Session, job: str, added: Reports) -> None:
    """Append reports to those in the database: the last block is filled before a new one begins."""
    is_first = not added.epochs[0]
    newest = None if is_first else session.execute(_NEWEST_BLOCK, {"job": job}).first()
    if newest is None or newest.length == BLOCK:
        blocks = list(pack(added))
    else:
        last = Block(*newest)
        longer, *blocks = pack(joined([unpack(last), added]))
        values = {"length": longer.length, "columns": longer.columns}
        session.execute(_LENGTHEN, {"job": job, "first": last.epoch, **values})
    if blocks:
        session.execute(_ADD, [{"job_id": job, **block._asdict()} for block in blocks])


_NEWEST_BLOCK = (
    select(ReportsRecord.epoch, ReportsRecord.length, ReportsRecord.columns)
    .where(ReportsRecord.job_id == bindparam("job"))
    .order_by(ReportsRecord.epoch.desc())
    .limit(1)
)
_BLOCKS = Record.metadata.tables["reports"]
_ADD = insert(_BLOCKS)
_LENGTHEN = update(_BLOCKS).where(_BLOCKS.c.job_id == bindparam("job"), _BLOCKS.c.epoch == bindparam("first"))
"""Statements of every flush, built once: building takes SQLAlchemy longer than SQLite takes to run them."""


def last_epoch(session: Session, job: str) -> int | None:
    """Return the epoch of the last report."""
    last: int | None = session.scalar(_LAST_EPOCH, {"job": job})
    return last


_LAST_EPOCH = select(
    func.max(
        union_all(
            select(func.max(EpochRecord.epoch).label("last")).where(EpochRecord.job_id == bindparam("job")),
            select(func.max(ReportsRecord.epoch + ReportsRecord.length) - 1).where(
                ReportsRecord.job_id == bindparam("job")
            ),
        )
        .subquery()
        .c.last
    )
)
