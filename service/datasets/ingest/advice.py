"""Advice on the way that a table becomes a dataset."""

from collections.abc import Collection, Iterator

from service.datasets.columns import in_query
from service.datasets.formats.likeness import advice_on_names
from service.datasets.formats.numbers_in_texts import BOUND, DATE, Found, found_among
from service.datasets.ingest.describe import SpooledColumn
from service.datasets.ingest.fill import Ingested
from service.datasets.ingest.roles import Options
from service.datasets.rounding import EXACT_TO
from service.learning.planning.advice import Advice
from service.pointers import escape

FILLED = "filled_with_class"


def advice_on(ingested: Ingested, options: Options, told: Collection[str]) -> list[Advice]:
    """Return what was done to columns unasked, each with its remedy; the sender has `told` the kinds of some."""
    empty = [_advice("empty_column", name, _EMPTY) for name in ingested.empty]
    filled = [
        _advice(FILLED, each.name, _FILLED, count=_count(each.missing), remedy=_REMEDIES[each.kind])
        for each in ingested.features
        if options.missing == "mean" and each.way == "mode" and each.missing
    ]
    rounded = [_advice("dates_rounded", name, _ROUNDED, dtype=options.dtype) for name in ingested.rounded]
    lost = [
        _advice("digits_lost", name, _LOST, losses=each.sentence(name), start=_START if each.spread < EXACT_TO else "")
        for name, each in ingested.roundings.items()
        if each.tells and each.beyond is None and name not in ingested.rounded
    ]
    beyond = [
        _advice("digits_lost", name, _BEYOND, number=f"{each.beyond:.0f}")
        for name, each in ingested.roundings.items()
        if each.beyond is not None
    ]
    texts = [_numbers_in_texts(each, found, options) for each, found in _in_texts(ingested, told)]
    alike = advice_on_names([each.name for each in (*ingested.features, *ingested.targets)])
    return [*alike, *empty, *filled, *rounded, *lost, *beyond, *texts]


def _in_texts(ingested: Ingested, told: Collection[str]) -> Iterator[tuple[SpooledColumn, Found]]:
    """Yield columns of categories whose kind nobody has set, and which are rather numbers or dates in texts."""
    for each in (*ingested.features, *ingested.targets):
        found = found_among(each.categories) if each.categories and each.name not in told else None
        is_class = each in ingested.targets and found is not None and found.form == BOUND
        if found is not None and not (is_class and len(each.categories or ()) == 2):  # <=50K and >50K are classes
            yield each, found


def _numbers_in_texts(column: SpooledColumn, found: Found, options: Options) -> Advice:
    values = f"{'Most' if found.others else 'All'} values"
    code = "dates_in_texts" if found.form == DATE else "numbers_in_texts"
    remedy = found.remedy(in_query(column.name), "&missing=mean" if options.missing is None else "")
    return _advice(code, column.name, _TEXTS, values=values, sentence=found.sentence, remedy=remedy)


_EMPTY = "Column {name!r} has no value in any row, so it is left out, as ignore={query} does in a file."
_FILLED = "Column {name!r} lacks {count}, and its most frequent class stands there: {remedy}."
_REMEDIES = {
    "categorical": (
        "missing=numeric:mean&missing=categorical:category&missing=targets:drop makes such values a category of their "
        'own (in JSON "missing": {"numeric": "mean", "categorical": "category", "targets": "drop"})'
    ),
    "boolean": (
        "missing=numeric:mean&missing=categorical:drop&missing=targets:drop leaves such rows out "
        '(in JSON "missing": {"numeric": "mean", "categorical": "drop", "targets": "drop"})'
    ),
}
_TEXTS = (
    "{values} of column {name!r} are {sentence}, and so categories: {remedy}; types={query}:categorical "
    "(in JSON in `types`) keeps them as they are."
)
_ROUNDED = (
    "Column {name!r} holds times of day, and {dtype} keeps days since 1970 to within about three minutes: "
    "dtype=float64 keeps them."
)
_LOST = (
    '{losses}. Upload it with dtype=float64 (in JSON "dtype": "float64") for models of that dtype{start}; an id is '
    "better left out, in a file with ignore={query}."
)
_BEYOND = (
    "Column {name!r} holds whole numbers of more digits than float64 keeps, such as {number}, which may have been sent "
    "otherwise: ids are better left out, in a file with ignore={query}; what is to be learnt, less a start."
)
_START = ", or subtract a start from it"


def _count(values: int) -> str:
    return "1 value" if values == 1 else f"{values:,} values"


def _advice(code: str, name: str, detail: str, **more: str) -> Advice:
    told = detail.format(name=name, query=in_query(name), **more)
    return Advice(code, told, f"#/columns/{escape(name)}")
