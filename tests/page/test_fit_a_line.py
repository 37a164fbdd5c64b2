"""The first visit: the tutorial runs against the API, by mouse and by keyboard alone."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from service.client import Client
from tests.support.browser import PHONE, Visit, visiting
from tests.support.serving import RunningService


def test_the_tutorial_meets_all_its_figures(visit: Visit) -> None:
    held: list[Route] = []
    visit.page.route("**/api/models?*", lambda route: held.append(route))  # noqa: PLW0108  (Playwright marks its handler)
    with visit.page.expect_request("**/api/models?*"):
        page = visit.open()
    page.get_by_role("button", name="Train 201 epochs").click()
    expect(page.get_by_text("Training …")).to_be_visible()  # the model is not there yet
    held[0].continue_()
    expect(page.get_by_text("201 epochs: the loss went from 122.647 to 0.0033956")).to_be_visible()
    table = page.get_by_role("table", name="The Flux tutorial's figures")
    expect(table.get_by_text("yes", exact=True)).to_have_count(10)
    page.get_by_label("Epoch 201 of 201").fill("1")
    expect(page.get_by_text("Epoch 1 of 201: loss 116.387")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Weight, typed")).to_have_value(re.compile(r"^6\.3|^7\."))


def test_a_rate_above_the_largest_stable_one_is_explained(visit: Visit) -> None:
    page = visit.open()
    expect(page.get_by_text("Largest stable rate, marked on the slider: 0.101305")).to_be_visible()
    page.get_by_role("button", name="Try 0.11").click()
    expect(page.get_by_text("This rate diverges.")).to_be_visible()
    assert page.url.endswith("rate=0.11")
    page.get_by_role("button", name="Train 201 epochs").click()
    expect(page.get_by_text(re.compile(r"the loss went from 122\.647 to \d\.\d+e\+\d\d"))).to_be_visible()


def test_a_rate_that_is_none_is_told_before_it_is_sent(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("spinbutton", name="Learning rate, typed").fill("0")
    expect(page.get_by_text("A number above 0.")).to_be_visible()
    expect(page.get_by_role("button", name="Train 201 epochs")).to_be_disabled()
    page.get_by_role("spinbutton", name="Learning rate, typed").fill("0.9")
    page.get_by_role("button", name="Train 201 epochs").click()
    expect(page.get_by_text("The training failed. The loss is no longer finite.")).to_be_visible()


def test_knobs_set_the_parameters_of_the_model(visit: Visit, client: Client) -> None:
    page = visit.open()
    weight = page.get_by_role("spinbutton", name="Weight, typed")
    # Whether the model is there yet or not: what is set early is sent later.
    with page.expect_response(lambda answer: answer.request.method == "PUT") as answer:
        weight.fill("4")
        weight.press("Enter")
    set_ = answer.value.json()
    model = answer.value.url.split("/")[-2]
    assert client.parameters(model, set_["version"]).layers == [{"weight": [[4]], "bias": [0]}]
    expect(page.get_by_text("Loss of this line: 4 on the training points")).to_be_visible()


@pytest.mark.parametrize("typed", ["-2.05", "1.50", "1e-3"])
def test_a_number_is_set_as_it_is_typed_key_by_key(visit: Visit, typed: str) -> None:
    page = visit.open()
    weight = page.get_by_role("spinbutton", name="Weight, typed")
    weight.fill("")
    for key in typed:
        weight.press(key)
        page.evaluate("() => new Promise((resolve) => requestAnimationFrame(resolve))")  # the page is drawn anew
    expect(weight).to_have_value(typed)
    with page.expect_request(lambda request: request.method == "PUT") as put:
        weight.press("Enter")
    assert json.loads(put.value.post_data or "")["layers"][0]["weight"] == [[float(typed)]]


def test_the_keyboard_alone_runs_the_tutorial(visit: Visit) -> None:
    page = visit.open()
    expect(page.get_by_role("button", name="Train 201 epochs")).to_be_enabled()
    to(page, "Train 201 epochs")
    page.keyboard.press("Enter")
    expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()
    to(page, "Training loss by epoch")
    page.keyboard.press("Home")
    expect(page.get_by_text("epoch 0: training loss 122.647")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("epoch 1: training loss 116.387")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Epoch 1 of 201")).to_be_visible()
    to(page, "Learning rate")
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("rate=0.101")


def to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    # After the last link the focus is the body's, whose text has every name.
    name_of = "(e) => e === document.body ? '' : e.getAttribute('aria-label') ?? (e.labels?.[0] ?? e).textContent"
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate(f"({name_of})(document.activeElement)"):
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def test_the_requests_that_made_a_view_can_be_copied(visit: Visit) -> None:
    page = visit.open()
    page.get_by_text("The requests that made this").click()
    expect(page.get_by_text(re.compile(r"^curl -s http\S+/api/jobs "))).to_be_visible()
    page.get_by_role("button", name="Python").click()
    expect(page.get_by_text("httpx.put(").first).to_be_visible()
    page.get_by_role("button", name="Julia").click()
    expect(page.get_by_text('"PUT",').first).to_be_visible()


def test_a_view_that_loads_late_leaves_a_later_one_in_place(visit: Visit) -> None:
    page = visit.open()
    held: list[Route] = []
    page.route("**/views/models/view.js", lambda route: held.append(route))  # noqa: PLW0108  (Playwright marks its handler)
    with page.expect_request("**/views/models/view.js"):
        page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    with page.expect_response("**/views/models/judging.js"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()


def test_a_chart_whose_script_does_not_load_is_told_in_its_place(visit: Visit) -> None:
    visit.page.route("**/uPlot.iife.min.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    page = visit.open()
    for later in (False, True):
        if later:  # once the document is complete
            page.get_by_role("link", name="Models").click()
            page.get_by_role("link", name="Fit a line").click()
        expect(page.get_by_text("This chart is not drawn, as a script did not load").first).to_be_visible()


def test_a_phone_shows_all_of_it_with_motion(browser: Browser, service: RunningService) -> None:
    with visiting(browser, service.url, PHONE, color_scheme="dark", reduced_motion="no-preference") as visit:
        page = visit.open()
        page.get_by_role("button", name="One epoch").click()
        expect(page.get_by_text("1 epoch: the loss")).to_be_visible()
        assert visit.width_beyond() == 0
