"""Browsers that open an answer of the API show it, and run nothing of it."""

import httpx

from service.client import Client
from tests.support.training import straight

RULES = {
    "content-security-policy": ["default-src 'none'; sandbox"],
    "x-content-type-options": ["nosniff"],
    "referrer-policy": ["no-referrer"],
}


def test_every_answer_that_is_no_page_is_inert(http: httpx.Client, client: Client) -> None:
    model = straight(client)
    path = f"/api/models/{model.id}"
    answers = [
        *map(http.get, ("/api/jobs", "/api/jobs/job_no", "/api/jobs?limit=no", "/nowhere", "/health/live", "/", "/v2")),
        *map(http.get, ("/openapi.json", "/metrics", "/docs/assets/start.js", "/docs/assets/no.js")),
        http.get(f"{path}/export", params={"format": "npz"}),
        http.post(f"{path}/predictions", json={"inputs": [[1]]}),
        http.post(f"/v2/models/{model.id}/infer", content=b"junk"),
        http.get("/api/jobs", headers={"Host": "elsewhere.example"}),
        http.put("/api/jobs"),
        http.head("/api/jobs"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 400, 404, 405, 422}
    for answer in answers:
        assert {name: answer.headers.get_list(name) for name in RULES} == RULES, answer.url
