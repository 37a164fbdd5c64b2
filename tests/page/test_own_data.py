"""Own data: a file with a mistake is mended and trained on; remedies work; names are text only."""

import io
from typing import Any

import httpx
import pyarrow
import pyarrow.parquet
import pytest
from playwright.sync_api import FilePayload, Page, expect

from service.client import Client
from service.page.files import page_files
from tests.support.browser import Visit

MARKUP = '<img src=x onerror="document.title=1">'
HOUSES = "area,rooms,town,price\n" + "".join(
    f"{'n/k' if row == 17 else 40 + row},{1 + row % 5},{('Bonn', 'Aachen')[row % 2]},{0.03 * row + row % 2}\n"
    for row in range(60)
)


def choose(page: Page, name: str, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    page.get_by_label("drop it here").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=data))


def test_a_file_with_a_mistake_is_mended_and_trained_on(visit: Visit, client: Client) -> None:
    page = visit.open("own-data")
    choose(page, "houses.csv", HOUSES)
    page.get_by_label("What is to be predicted?").select_option("price")
    expect(page.get_by_text("Line 19: column 'area' holds 'n/k'")).to_be_visible()
    expect(page.get_by_role("button", name="Use these data")).to_be_disabled()
    page.get_by_role("button", name="Count “n/k” as missing").click()
    expect(page.get_by_role("heading", name="To mend first")).to_have_count(0)
    expect(
        page.get_by_text(
            "All 60 rows of the file. Ranges, histograms and counts of classes are of the 36 training rows alone."
        )
    ).to_be_visible()
    page.get_by_role("button", name="Use these data").click()
    expect(page.get_by_text("36 rows train it")).to_be_visible()
    heading = page.get_by_role("heading", name="The network")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    page.get_by_label("Hidden layers").fill("5, 4")
    expect(
        page.get_by_text("Chain(Dense(4 => 5, tanh), Dense(5 => 4, tanh), Dense(4 => 1))", exact=True)
    ).to_be_visible()
    page.get_by_label("Epochs").fill("450")
    expect(page.locator(".facts").get_by_text("54", exact=True)).to_be_visible()
    expect(page.get_by_text("150 epochs are kept to look back at, one in 3: 32.4 kB.")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/#/jobs/job_*")
    job = client.job(page.url.rpartition("/")[2], wait=60)
    assert (job.state, job.recipe["epochs"], job.recipe["keep_every"]) == ("succeeded", 450, 3)
    assert len(client.http.get("/api/models", params={"name": "houses-network"}).json()["items"]) == 1


REMEDIES: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("a;b\n1,5;2\n3;4\n", {}, [{"decimal": ","}, {"types": "a:categorical"}]),
    ("a;b\n1 234;2\n3;4\n", {}, [{"thousands": " "}, {"types": "a:categorical"}]),
    ("a;b\n1.234,5;2\n3;4\n", {}, [{"decimal": ",", "thousands": "."}, {"types": "a:categorical"}]),
    ("day one,c,b\n2020-01-01,1,2\n2020-01-02,1,4\n", {}, [{"types": "day one:date"}, {"ignore": "day one"}]),
    ("a,b\n1,2\n,4\n3,5\n", {}, [{"missing": "mean"}, {"missing": "drop"}]),
    ("a,b\nu,2\n,4\nv,5\n", {}, [{"missing": "categorical:category"}, {"missing": "mean"}, {"missing": "drop"}]),
    (
        "a&b,b\n1,2\nnot known,4\n3,5\n4,5\n",
        {},
        [{"missing_values": "not known", "missing": "mean"}, {"types": "a&b:categorical"}],
    ),
    ("a,b\n1,2\n.,4\n3,5\n4,5\n", {"types": "a:numeric"}, [{"missing_values": ".", "missing": "mean"}]),
]


REMEDIES_IN = """async ([module, sentence, names]) =>
    (await import(module)).remediesIn(sentence, names).map((each) => each.changes)"""


@pytest.fixture(scope="module")
def remedies_module() -> str:
    return f"/page/{page_files().version}/views/own_data/remedies.js"


def test_each_remedy_that_a_fault_names_is_a_button_that_works(
    visit: Visit, http: httpx.Client, remedies_module: str
) -> None:
    page = visit.open("own-data")

    def look(table: str, query: dict[str, Any]) -> Any:
        headers = {"Content-Type": "text/csv"}
        return http.post(
            "/api/datasets", params={"validate_only": True, "targets": "b", **query}, content=table, headers=headers
        ).json()

    for table, query, expected in REMEDIES:
        (fault,) = look(table, query)["faults"]
        names = table.partition("\n")[0].replace(";", ",").split(",")
        found = [dict(changes) for changes in page.evaluate(REMEDIES_IN, [remedies_module, fault["detail"], names])]
        assert all(remedy in found for remedy in expected), (fault, found)
        for remedy in found:
            assert look(table, {**query, **remedy})["faults"] == [], (table, remedy)


def test_markup_in_names_and_classes_stays_text(visit: Visit) -> None:
    page = visit.open("own-data")
    rows = "".join(f"{row},{MARKUP if row % 2 else 'b'}\n" for row in range(30))
    choose(page, f"{MARKUP}.csv", f"{MARKUP},kind\n{rows}".replace('"', ""))
    plain = MARKUP.replace('"', "")
    page.get_by_label("What is to be predicted?").select_option("kind")
    expect(page.get_by_role("heading", name=plain)).to_be_visible()
    page.get_by_role("button", name="Use these data").click()
    expect(page.get_by_label("Loss")).to_have_value("logitcrossentropy")
    assert page.locator("img").count() == 0
    assert "Descent" in page.title()


def test_of_a_large_text_the_first_megabyte_is_looked_at(visit: Visit) -> None:
    page = visit.open("own-data")
    rows = "".join(f'{row},"line {row % 7}\nmore",{row % 3}\n' for row in range(60_000))
    with page.expect_request(lambda request: "validate_only" in request.url) as looked:
        choose(page, "long.csv", f"x,text,y\n{rows}")
    assert len(looked.value.post_data_buffer or b"") <= 1 << 20
    expect(page.get_by_text("A sample:")).to_be_visible()
    page.get_by_label("What is to be predicted?").select_option("y")
    expect(page.get_by_role("button", name="Use these data")).to_be_enabled()


def test_a_parquet_file_is_looked_at_whole(visit: Visit) -> None:
    page = visit.open("own-data")
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"x": [1.0, 2.0, 3.0], "label": ["a", "b", "a"]}), file)
    choose(page, "table.parquet", file.getvalue())
    expect(page.get_by_text("All 3 rows of the file.")).to_be_visible()
    expect(page.get_by_label("Kind of label")).to_have_value("categorical")
    page.get_by_label("Role of x").select_option("ignore")
    expect(page.get_by_label("Kind of x")).to_have_count(0)
    page.get_by_label("Role of x").select_option("input")
    expect(page.get_by_label("Kind of x")).to_be_visible()
