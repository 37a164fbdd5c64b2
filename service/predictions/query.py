"""The query parameters of predictions: the version that answers, and the words that a file of rows may need."""

from collections.abc import Collection
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from service.datasets.ingest.options import StreamedOptions
from service.errors import invalid
from service.http.json_bodies import invalid_body
from service.wire import EpochNumber, VersionNumber

WORDS = (
    "ignore",
    "types",
    "missing_values",
    "delimiter",
    "decimal",
    "thousands",
    "encoding",
    "skip",
    "comment",
    "header",
    "columns",
)
"""Parameters of uploads that files of rows take as well, so that what a message advises can be done."""
LISTS = ("ignore", "types", "missing_values", "columns")
"""Those that may be repeated."""


class Which(BaseModel):
    """The choice among a model's parameters."""

    version: VersionNumber | None = None
    epoch: EpochNumber | None = None


PLAIN = StreamedOptions.model_validate({})
"""No words about a file."""


class Asked(NamedTuple):
    """The query of a request."""

    which: Which
    file: StreamedOptions

    def refuse_words(self, form: str, *but: str) -> None:
        """Refuse words about CSV, `ignore` and some others excepted, where the body has another form.

        Raises:
            Invalid: with a pointer to the first of them.
        """
        if self.file is PLAIN:
            return
        said = self.file.model_dump(exclude_defaults=True, exclude={"ignore", *but})
        if said:
            raise invalid(f"query/{next(iter(said))}", f"This parameter is for text/csv, not for {form}.")


def read_query(sent: QueryParams, words: Collection[str] = WORDS) -> Asked:
    """Return the options of a query; for a file, these words alone.

    Raises:
        Invalid: a value is impossible.
    """
    file = {name: sent.getlist(name) if name in LISTS else sent[name] for name in sent if name in words}
    try:
        return Asked(Which.model_validate(dict(sent)), StreamedOptions.model_validate(file) if file else PLAIN)
    except ValidationError as error:
        errors: list[Any] = [{**each, "loc": ("query", *each["loc"])} for each in error.errors(include_url=False)]
        raise invalid_body(errors, None, prefix=("body",)) from None


NOTHING = Asked(Which(), PLAIN)
"""A request without a query."""
