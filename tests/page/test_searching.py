"""Searches, cross-validations and recipes chosen by the service, begun from the page."""

from typing import Any

import pytest
from playwright.sync_api import expect

from service.client import Client
from service.datasets.schemas import Dataset
from tests.support.browser import Visit


@pytest.fixture(scope="session")
def fruit(client: Client) -> Dataset:
    """Two kinds of fruit by their weight, with rows for each part."""
    columns: dict[str, Any] = {
        "weight": [row + (40 if row % 2 else 0) for row in range(60)],
        "kind": ["melon" if row % 2 else "plum" for row in range(60)],
    }
    split = {"test": {"fraction": 0.2}, "validation": {"fraction": 0.2}}
    return client.create_dataset(columns, ["kind"], split=split, name="fruit")


def test_a_search_for_a_better_recipe_begins_on_the_page(visit: Visit, fruit: Dataset) -> None:
    page = visit.open(f"datasets/{fruit.name}")
    page.get_by_role("link", name="Search for a recipe").click()
    page.get_by_label("Trials").fill("3")
    page.get_by_label("Rows of a batch").check()
    page.wait_for_function("() => /vary=rate%2Cnetwork%2Cbatch/.test(location.hash) && /trials=3/.test(location.hash)")
    page.locator("button.main:enabled").get_by_text("Search").click()
    expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
    expect(page.get_by_role("table", name="Trials, the best first").get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="Judge and try version 1").click()
    expect(page.get_by_role("table", name="Confusion matrix")).to_be_visible()


def test_a_recipe_is_chosen_and_cross_validated(visit: Visit, client: Client, fruit: Dataset) -> None:
    page = visit.open(f"own-data?dataset={fruit.name}")
    page.get_by_label("Let Descent choose the recipe").check()
    expect(page.get_by_text("logitcrossentropy suits the targets; AdamW at 0.003")).to_be_visible()
    expect(page.get_by_label("Optimiser")).to_have_count(0)
    page.locator("button.main:enabled").get_by_text("Train").click()
    page.wait_for_url("**/#/jobs/job_*")
    job = client.job(page.url.rpartition("/")[2], wait=60)
    assert (job.recipe["optimiser"]["rule"], job.recipe["keep_every"]) == ("AdamW", 5)
    page.get_by_role("link", name="Judge and try version 1").click()
    page.get_by_role("link", name="Cross-validate it").click()
    page.get_by_label("Folds").fill("3")
    page.get_by_role("button", name="Cross-validate").click()
    expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
    expect(page.get_by_role("table", name="Folds", exact=True).get_by_role("row")).to_have_count(6)
    expect(page.get_by_text("of 48 rows are right.")).to_be_visible()
