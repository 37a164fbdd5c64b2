"""Every view under axe-core, as wide as a desktop and as narrow as a phone, light and dark."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from service.client import Client
from tests.page.test_own_data import HOUSES, choose
from tests.support.browser import AXE, DESKTOP, PHONE, RULES_OF_SHAPES, Visit, visiting
from tests.support.serving import RunningService
from tests.support.training import line, straight

pytestmark = [
    pytest.mark.waits(20),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: make .node-clients/.tools, which needs npm"),
]


SHAPES: tuple[tuple[tuple[int, int], Literal["light", "dark"], tuple[str, ...]], ...] = (
    (PHONE, "dark", ()),
    (DESKTOP, "light", RULES_OF_SHAPES),
)
"""Windows and colours with the rules that are tried in them: all in the first."""


def assert_open_to_all(visit: Visit) -> None:
    """Check the view as it stands, last on a light desktop, where a visit began."""
    for size, scheme, rules in SHAPES:
        visit.take_shape(size, scheme)
        assert (visit.violations(*rules), visit.width_beyond()) == ([], 0), (visit.page.url, scheme)


def test_no_view_on_the_way_to_a_network_shuts_anybody_out(browser: Browser, service: RunningService) -> None:
    with visiting(browser, service.url) as visit:
        page = visit.open()
        page.get_by_text("The requests that made this").click()
        page.get_by_role("button", name="Try 0.11").click()
        page.get_by_role("button", name="Train 201 epochs").click()
        expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()
        assert_open_to_all(visit)
        page = visit.open("own-data")
        choose(page, "rooms.csv", HOUSES)
        page.get_by_label("What is to be predicted?").select_option("town")
        expect(page.get_by_text("holds 'n/k'")).to_be_visible()
        page.get_by_text("How the text is read").click()
        assert_open_to_all(visit)
        page.get_by_role("button", name="Read “area” as categories").click()
        page.get_by_role("button", name="Use these data").click()
        page.locator("button.main:enabled").get_by_text("Train").wait_for()
        assert_open_to_all(visit)
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
        expect(page.get_by_role("application", name=re.compile("^Residuals of"))).to_be_visible()
        assert_open_to_all(visit)
        page.get_by_role("link", name="Judge and try version 1").click()
        expect(page.get_by_role("table", name="Confusion matrix")).to_be_visible()
        expect(page.get_by_role("table", name="Classes of town")).to_be_visible()
        assert_open_to_all(visit)


def test_no_list_and_nothing_in_it_shuts_anybody_out(browser: Browser, service: RunningService, client: Client) -> None:
    axe = {"labels": {"team": "axe"}}
    dataset, model = line(client, name="axe-line", **axe), straight(client, name="axe", **axe)
    jobs = [client.train(model.id, dataset.id, wait=30, epochs=5, **axe).id for _ in range(2)]
    sweep = {"name": "axe", "model": model.id, "dataset": dataset.id, "method": "grid", "monitor": "train_loss"}
    varied = {"recipe": {"epochs": 5}, "vary": {"optimiser.eta": [0.01, 0.02]}}
    client.http.post("/api/sweeps", json={**sweep, **varied}, headers={"Prefer": "wait=30"}).raise_for_status()
    folds = {"model": model.id, "dataset": dataset.id, "folds": 2, "recipe": {"epochs": 5}}
    folded = client.http.post("/api/cross-validations", json=folds, headers={"Prefer": "wait=30"}).json()["id"]
    with visiting(browser, service.url) as visit:
        for address, table in (
            ("jobs?label=team:axe", "Trainings"),
            (f"compare?jobs={','.join(jobs)}", "What differs"),
            ("models?name=axe", "Models"),
            ("datasets?name=axe", "Datasets"),
            ("datasets/axe-line", "The first 6 rows"),
            (f"sweeps?dataset={dataset.id}", "Searches"),
            (f"cross-validations?model={model.id}&dataset={dataset.id}", "Cross-validations"),
            (f"cross-validations/{folded}", "Predictions out of folds"),
            ("sweeps/axe", "Trials, the best first"),
        ):
            page = visit.open(address)
            expect(page.get_by_role("table", name=table)).to_be_visible()
            assert_open_to_all(visit)
        page = visit.open("guide/learning")
        expect(page.get_by_role("heading", name="Which rule, and when")).to_be_visible()
        assert_open_to_all(visit)
        page = visit.open("vocabulary")
        expect(page.get_by_role("heading", name="celu")).to_be_visible()
        assert_open_to_all(visit)
