"""A small typed client of the service, on httpx, for the demo and the tests."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from service.datasets.schemas import Dataset
from service.evaluations.schemas import Evaluation
from service.http.pages import Page
from service.http.problems import Problem
from service.jobs.schemas import EpochReport, Job
from service.models.schemas import Model, Parameters
from service.predictions.schemas import Prediction

Answer = TypeVar("Answer", bound=BaseModel)


class ProblemError(Exception):
    """The service answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem = problem


class Client:
    """Calls of the service at `url`; each returns what the service answered, or raises a `ProblemError`."""

    def __init__(self, url: str, timeout: float = 90.0, key: str | None = None) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=url, timeout=timeout, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def create_dataset(self, columns: Mapping[str, Sequence[float]], targets: list[str], **options: Any) -> Dataset:
        return self._send("POST", "/api/datasets", Dataset, {"columns": columns, "targets": targets, **options})

    def create_model(self, architecture: str, **options: Any) -> Model:
        return self._send("POST", "/api/models", Model, {"architecture": architecture, **options})

    def parameters(self, model: str, version: int | None = None) -> Parameters:
        query = "" if version is None else f"?version={version}"
        return self._send("GET", f"/api/models/{model}/parameters{query}", Parameters)

    def train(self, model: str, dataset: str, wait: int = 0, **recipe: Any) -> Job:
        """Post a job; with `wait`, return its answer after at most that many seconds."""
        body = {"model": model, "dataset": dataset, **recipe}
        return self._send("POST", "/api/jobs", Job, body, {"Prefer": f"wait={wait}"} if wait else {})

    def job(self, job: str, wait: int = 0) -> Job:
        return self._send("GET", f"/api/jobs/{job}", Job, headers={"Prefer": f"wait={wait}"} if wait else {})

    def cancel(self, job: str) -> Job:
        return self._send("POST", f"/api/jobs/{job}/cancel", Job)

    def stop(self, job: str) -> Job:
        return self._send("POST", f"/api/jobs/{job}/stop", Job)

    def change(self, job: str, **changes: Any) -> Job:
        return self._send("PATCH", f"/api/jobs/{job}", Job, changes)

    def pause(self, job: str) -> Job:
        return self._send("POST", f"/api/jobs/{job}/pause", Job)

    def resume(self, job: str) -> Job:
        return self._send("POST", f"/api/jobs/{job}/resume", Job)

    def delete(self, path: str) -> None:
        """Delete what `path` names, such as `/api/jobs/job_...`."""
        response = self.http.delete(path)
        if response.is_error:
            raise ProblemError(Problem.model_validate_json(response.content))

    def epochs(self, job: str) -> list[EpochReport]:
        """Return all reports so far."""
        reports: list[EpochReport] = []
        path: str | None = f"/api/jobs/{job}/epochs?limit=1000"
        while path is not None:
            page = self._send("GET", path, Page[EpochReport])
            reports += page.items
            path = page.next and f"/api/jobs/{job}/epochs?limit=1000&after={page.next}"
        return reports

    def predict(self, model: str, inputs: list[list[float]], version: int | None = None) -> Prediction:
        query = "" if version is None else f"?version={version}"
        return self._send("POST", f"/api/models/{model}/predictions{query}", Prediction, {"inputs": inputs})

    def evaluate(self, model: str, dataset: str, **options: Any) -> Evaluation:
        return self._send("POST", f"/api/models/{model}/evaluations", Evaluation, {"dataset": dataset, **options})

    def _send(
        self,
        method: str,
        path: str,
        shape: type[Answer],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        response = self.http.request(method, path, json=body, headers=headers)
        if response.is_error:
            raise ProblemError(Problem.model_validate_json(response.content))
        return shape.model_validate_json(response.content)
