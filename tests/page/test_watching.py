"""Trainings in a browser: live curves, steering, looking back, comparing, trying, and a service that restarts."""

import math
import re
import statistics
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from service.client import Client
from service.jobs.schemas import Job
from service.page.files import page_files
from tests.support.browser import PHONE, Visit, visiting
from tests.support.serving import RunningService, free_port
from tests.support.training import endless_job, line, straight

MARKUP = "<img src=x onerror=alert(1)>"
ENDLESS: dict[str, Any] = {"epochs": 10_000_000, "batch_size": 1, "optimiser": {"rule": "Descent", "eta": 1e-9}}
WRITTEN = """
globalThis.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
  written.push(text);
  return write.call(this, text, ...more);
};
"""
"""A script that remembers all texts that are drawn."""
PLACES = [(x / 3, y / 3) for x in range(-6, 7) for y in range(-6, 7)]


@pytest.fixture(scope="module")
def circles(client: Client) -> Job:
    """A training that tells the inside of a circle, with kept epochs; its columns and classes are called badly."""
    columns: dict[str, Any] = {
        MARKUP: [x for x, _ in PLACES],
        "y": [y for _, y in PLACES],
        "kind": ["in" if math.hypot(x, y) < 1 else MARKUP for x, y in PLACES],
    }
    split = {"test": {"fraction": 0.2}, "validation": {"fraction": 0.2}}
    dataset = client.create_dataset(columns, ["kind"], split=split)
    model = client.create_model("Chain(Dense(2 => 6, tanh), Dense(6 => 2))")
    recipe = {"loss": "logitcrossentropy", "optimiser": {"rule": "Adam", "eta": 0.05}, "keep_every": 10}
    return client.train(model.id, dataset.id, wait=30, epochs=100, **recipe)


def epochs_told(page: Page) -> int:
    text = page.locator(".facts dd").first.inner_text()
    return int(text.partition(" of ")[0].replace(",", ""))


def wait_for_more_than(page: Page, epochs: int) -> None:
    told = "Number(document.querySelector('.facts dd').innerText.replace(/ of.*|,/g, ''))"
    page.wait_for_function(f"() => {told} > {epochs}")


def test_a_running_job_is_watched_paused_and_given_another_rate(visit: Visit, client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as job:
        page = visit.open(f"jobs?model={job.model}")
        epochs = page.get_by_text(" of 10,000,000")
        shown = epochs.inner_text()
        expect(epochs).not_to_have_text(shown)
        page.get_by_role("table", name="Trainings").get_by_role("link").click()
        expect(page.get_by_role("heading", name="It is running")).to_be_visible()
        before = epochs_told(page)
        wait_for_more_than(page, before)
        page.get_by_label("Learning rate from the next batch on").fill("2e-9")
        page.get_by_role("button", name="Change the rate").click()
        page.get_by_text("What happened on the way").click()
        expect(page.get_by_text("The rate is 2e-09 from here on.")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", name="It rests")).to_be_visible()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="It is running")).to_be_visible()
        page.get_by_role("button", name="Throw it away").click()
        page.get_by_role("button", name="Yes, throw it away").click()
        expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()


def test_kept_epochs_are_looked_back_at(browser: Browser, service: RunningService, circles: Job) -> None:
    with visiting(browser, service.url, PHONE, color_scheme="dark") as visit:
        page = visit.open(f"jobs/{circles.id}")
        page.get_by_label("Kept epochs: the end").fill("1")
        expect(page.get_by_role("heading", name=re.compile(r"The network after \d+ epochs"))).to_be_visible()
        assert re.search(r"epoch=\d+", page.url)
        expect(page.get_by_role("img", name="2 inputs; Dense with 6 units, tanh; Dense with 2 units")).to_be_visible()
        page.get_by_label("And", exact=True).select_option("y")
        for other in ("in", MARKUP):
            page.get_by_label("Probability of", exact=True).select_option(other)
            name = re.compile(rf"^probability of kind = {re.escape(other)} over .* and y, from")
            expect(page.get_by_role("img", name=name)).to_be_visible()
        expect(
            page.get_by_text("rows of the training part, which it learnt from, are on the right side of one half")
        ).to_be_visible()
        assert visit.width_beyond() == 0
        scrub_past_slow_answers(page)


def scrub_past_slow_answers(page: Page) -> None:
    """Check that two answers are waited for at once, and that the first of them is shown before the second comes."""
    held: list[Route] = []
    cancelled: list[str] = []
    page.on("requestfailed", lambda request: cancelled.append(request.url))
    page.route("**/parameters?*", lambda route: held.append(route))  # noqa: PLW0108  (Playwright marks its handler)
    drawn = page.get_by_text("The largest is")
    before = drawn.inner_text()
    for place in (3, 5, 7, 9):
        with page.expect_request("**/parameters?*"):
            page.locator("#scrubber").fill(str(place))
    held[2].continue_()
    expect(drawn).not_to_have_text(before)
    assert [url for url in cancelled if "parameters" in url] == [route.request.url for route in held[:2]]
    page.wait_for_url(f"**epoch={held[3].request.url.rpartition('=')[2]}**")
    held[3].continue_()


THINNED = """async (module) => {
    const { thinned } = await import(module);
    let kept = [];
    for (let epoch = 0; epoch < 20000; epoch += 1) {
        kept = thinned([...kept, { epoch, train_loss: 1 / (1 + epoch), validation_loss: Math.abs(epoch - 30) }]);
    }
    return kept.map((each) => each.epoch);
}"""


def test_a_curve_that_grows_keeps_its_beginning_and_its_least_loss(visit: Visit) -> None:
    page = visit.open("jobs")
    epochs = page.evaluate(THINNED, f"/page/{page_files().version}/lib/reports.js")
    assert len(epochs) <= 1000
    assert {0, 30, 19_999} <= set(epochs)
    assert sum(epoch < 10_000 for epoch in epochs) >= 60


def rows_of(client: Client, dataset: str) -> list[tuple[float, float, str]]:
    items = client.http.get(f"/api/datasets/{dataset}/rows", params={"limit": 1000}).json()["items"]
    return [(each["values"][MARKUP], each["values"]["y"], each["part"]) for each in items]


def test_a_model_is_judged_and_tried(visit: Visit, client: Client, circles: Job) -> None:
    page = visit.open(f"models/{circles.model}")
    expect(page.get_by_role("table", name="Confusion matrix")).to_be_visible()
    worst = page.get_by_role("table", name="The rows that are farthest off")
    row = int(worst.get_by_role("rowheader").first.inner_text())
    items = client.http.get(f"/api/datasets/{circles.dataset}/rows", params={"limit": 1000}).json()["items"]
    assert row in [each["row"] for each in items if each["part"] == "test"]
    expect(page.get_by_text("Rows are counted from 0, in the order of the data and without the header")).to_be_visible()
    expect(page.get_by_label("Part")).to_have_value("test")
    expect(page.get_by_label("Part").locator("option:checked")).to_have_text("test (not trained on)")
    trained = [(x, y) for x, y, part in rows_of(client, circles.dataset) if part == "train"]
    for label, values in ((MARKUP, [x for x, _ in trained]), ("y", [y for _, y in trained])):
        begun = float(page.get_by_label(label, exact=True).input_value())
        assert begun == pytest.approx(statistics.median(values), abs=1e-4)
    page.get_by_label("y", exact=True).fill("9")
    expect(page.get_by_text("Outside of what it has seen.")).to_be_visible()
    expect(page.get_by_text(f"kind: {MARKUP}")).to_be_visible()
    page.get_by_label("y", exact=True).fill("0")
    expect(page.get_by_text("Outside of what it has seen.")).to_have_count(0)
    page.get_by_label("Say how sure it is").select_option("90 %")
    expect(page.get_by_text("kind: in, with 90 % in")).to_be_visible()
    page.get_by_label("Say what each column adds").check()
    expect(page.get_by_role("table", name="What each column adds").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("application", name=re.compile("^Reliability"))).to_be_visible()
    page.get_by_role("button", name="Measure it").click()
    expect(page.get_by_role("table", name="The columns that matter").get_by_role("row")).to_have_count(3)
    most = page.get_by_role("table", name="The columns that matter").get_by_role("rowheader").first.inner_text()
    expect(page.get_by_label("Effect of", exact=True)).to_have_value(most)
    page.get_by_label("Effect of", exact=True).select_option("y")
    expect(page.get_by_role("application", name="Effect of y on kind = in")).to_be_visible()
    page.get_by_label("Together with").select_option(MARKUP)
    expect(page.get_by_role("img", name=re.compile("^mean raw output of kind = in over y and"))).to_be_visible()


def test_trainings_are_listed_compared_and_deleted(visit: Visit, client: Client) -> None:
    model, dataset = straight(client, name="to-compare").id, line(client).id
    for rate in (0.01, 0.02):
        optimiser = {"rule": "Descent", "eta": rate}
        client.train(model, dataset, wait=30, epochs=20, optimiser=optimiser, labels={"for": "comparing"})
    page = visit.open("jobs?label=for:comparing")
    boxes = page.get_by_role("checkbox", name=re.compile("^Compare job_"))
    expect(boxes).to_have_count(2)
    boxes.first.check()
    boxes.last.check()
    page.wait_for_url(re.compile(r"chosen=job_\w+(,|%2C)job_"))
    page.reload()
    expect(boxes.last).to_be_checked()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.get_by_role("application", name="training loss of 2 trainings by epoch")).to_be_visible()
    expect(page.get_by_role("table", name="What differs").get_by_text("Descent, 0.02")).to_be_visible()
    page = visit.open("models?name=to-compare")
    page.get_by_role("button", name="Edit the labels of to-compare").click()
    page.get_by_label("Labels", exact=True).fill("team:blue, note:one, two")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="note: one, two")).to_be_visible()
    assert client.http.get(f"/api/models/{model}").json()["labels"] == {"team": "blue", "note": "one, two"}
    page.get_by_role("button", name="Delete to-compare").click()
    expect(page.get_by_text("All its 3 versions go, with evaluations and kept epochs")).to_be_visible()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No model here that the search leaves.")).to_be_visible()


def test_a_failed_training_says_what_to_do(visit: Visit, client: Client) -> None:
    job = client.train(
        straight(client).id, line(client).id, wait=30, epochs=60, optimiser={"rule": "Descent", "eta": 0.3}
    )
    visit.context.add_init_script(WRITTEN)
    page = visit.open(f"jobs/{job.id}")
    expect(page.get_by_role("alert").get_by_text("Train again with a smaller rate")).to_be_visible()
    page.wait_for_function("() => written.some((text) => /^1e3[4-9]$/.test(text))")  # at the axis of the loss


def test_a_search_is_watched_and_ended(visit: Visit, client: Client) -> None:
    model, dataset = straight(client, name="searched").id, line(client).id
    sweep = {"name": "rates", "model": model, "dataset": dataset, "method": "grid", "monitor": "train_loss"}
    vary = {"optimiser.eta": [1e-9, 2e-9, 3e-9]}
    recipe = {**ENDLESS, "optimiser": "Descent"}
    client.http.post("/api/sweeps", json={**sweep, "recipe": recipe, "vary": vary}).raise_for_status()
    page = visit.open("sweeps")
    page.get_by_role("link", name="rates", exact=True).click()
    expect(page.get_by_role("heading", name="It is running")).to_be_visible()
    expect(
        page.get_by_role("application", name=re.compile("^training loss of [23] trainings by epoch"))
    ).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="It rests")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop and keep the best").click()
    expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
    expect(page.get_by_role("table", name="Trials, the best first").get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="Judge and try version 1").click()
    expect(page.get_by_role("heading", name="searched")).to_be_visible()


def test_a_curve_goes_on_after_the_service_restarted(browser: Browser, tmp_path: Path) -> None:
    port, folder = str(free_port()), tmp_path / "data"
    with RunningService.running(folder, "--port", port) as service:
        with service.client() as client:
            job = client.train(straight(client).id, line(client).id, **ENDLESS)
        visit = Visit(browser, service.url)
        page = visit.open(f"jobs/{job.id}")
        expect(page.get_by_role("heading", name="It is running")).to_be_visible()
    expect(page.get_by_text("The connection is interrupted.")).to_be_visible()
    before = epochs_told(page)
    with RunningService.running(folder, "--port", port) as again, again.client() as client:
        expect(page.get_by_text("The connection is interrupted.")).to_have_count(0)
        wait_for_more_than(page, before)
        client.cancel(job.id)
        expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()
    visit.context.close()
