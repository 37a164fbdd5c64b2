"""Refusals of requests that are right by the document, each with the reason why the document cannot tell."""

import re
from collections import Counter
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

CODES: Final = {
    "bad_cursor": "no pattern tells the cursors that the service has given",
    "bad_parameters": "the layers and their sizes are those of the model",
    "empty_part": "the parts of the dataset decide which have rows",
    "impossible_class_weight": "the classes are those of the dataset",
    "impossible_validation": "the dataset may have a validation part of its own, or too few rows for one",
    "loss_does_not_fit": "the targets are those of the dataset",
    "missing_value": "the columns that a row needs are those of the version",
    "no_signature": "a version that was not trained on a dataset knows no names to rename columns to",
    "ragged": "no schema tells that lists are of one length",
    "recipe_is_chosen": "a recipe that is chosen has none of the fields that it decides",
    "repeated_parameter": "a field of a form may be in the query instead, and not in both",
    "too_few_rows": "the rows of a dataset decide how many folds there may be",
    "unknown_column": "the columns are those of the dataset",
}
"""Reasons by the code of the problem."""
DETAILS: Final = {
    r"Choose the parts in one way": "the parts of a dataset are described in one of several ways",
    r"[Cc]hoose the rows in one way|exactly one of": "rows come in one of several ways",
    r"Name the columns to be learnt": "the targets of a form may be in the query instead",
    r"\(at character \d+\)": "no pattern tells what a formula is",
    r"numbers, but \d+ are expected": "the widths are those of the model",
    r"(number|boolean|text) is expected in column": "the kinds of columns are those of the version",
    r"is not an object with the names of the first": "no schema tells that objects have the same names",
    r"must make steps of each array|rules cannot hold another": "rules inside one another are described alike",
    r"cannot hold \w+, which follows losses|must count per": "schedules inside one another count alike",
    r"looks like an id": "names may not be mistaken for ids, which are short patterns among many",
    r"must have one value for each of": "no schema tells that lists are of one length",
    r"gamma must be the least and then": "no schema tells that one number is below another",
    r"has two values: give it one": "labels of a query have different keys",
    r"A tensor of shape .* elements|not nested as the shape": "a tensor has as many elements as its shape tells",
    r"The shape asks for": "a tensor has as many elements as its shape tells",
    r"There are two (in|out)puts": "no schema tells that names differ",
    r"bytes behind its JSON, but|has \d+ bytes, not": "elements may be bytes behind the JSON",
}
"""Reasons by the beginning of the detail, where the code is one of many refusals."""
FILE: Final = "no schema tells what a file holds"
OF_TOOLS: Final = ("POST /api/models/{model}/invocations", "POST /v1/models/{model}:predict")
KINDS: Final = "the kinds of values are those of the version, and other tools' forms hold any"
NO_ROWS: Final = "columns of no rows are lists all the same"
VARIED: Final = "the values that a place takes are those of the recipe, and decided by other places"
DESCRIBED: Final = ("application/json", "multipart/form-data", None)
"""Media types of bodies that have a schema."""

excused: Counter[str] = Counter()
"""Requests that were let pass, by reason."""


def excuse(case: Case[Any], response: Response) -> str | None:
    """Return the reason why the document allows the request and the service does not, if there is a known one."""
    if case.media_type not in DESCRIBED:
        return FILE
    problem = response.json()
    if case.operation.label == "POST /api/sweeps" and _is_about_values(problem):
        return VARIED
    if case.operation.label in OF_TOOLS and re.search(r"^This is an? .*, but a number is expected", problem["detail"]):
        return KINDS
    if problem["detail"] == "There are no rows." and _has_an_empty_list(case.body):
        return NO_ROWS
    found = (reason for start, reason in DETAILS.items() if re.search(start, problem["detail"]))
    return CODES.get(problem["code"]) or next(found, None)


def _is_about_values(problem: dict[str, Any]) -> bool:
    """Whether all faults are of what a place of a sweep takes, and none of the form in which its values are listed."""
    places = [each["pointer"].startswith("#/vary") for each in problem["errors"]]
    return bool(places) and all(places) and "give a list of values" not in problem["detail"]


def _has_an_empty_list(body: Any, depth: int = 2) -> bool:
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return body == [] or (depth > 0 and any(_has_an_empty_list(each, depth - 1) for each in inside))


@schemathesis.check
def succeeds(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Check as `positive_data_acceptance` does, but for what is excused."""
    if response.status_code in (400, 415, 422) and case.meta is not None and case.meta.generation.mode.is_positive:
        reason = excuse(case, response)
        if reason is not None:
            excused[reason] += 1
            return None
    return positive_data_acceptance(context, response, case)
