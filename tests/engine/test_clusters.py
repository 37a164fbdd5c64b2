"""A cluster that does not come up leaves no workers behind."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from service.engine import cluster as clusters
from service.engine.cluster import Cluster
from service.settings import Settings


def test_workers_end_where_their_scheduler_is_not_reached_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as worker:
        nanny = Mock(process=SimpleNamespace(pid=worker.pid))
        local = Mock(workers={0: nanny}, close=Mock(side_effect=TimeoutError("timed out after 1 s.")))
        monkeypatch.setattr(clusters, "_embedded", lambda *_: local)
        monkeypatch.setattr(clusters, "Client", Mock(side_effect=OSError("the scheduler does not answer")))
        with pytest.raises(OSError, match="the scheduler does not answer"):
            Cluster(Settings(data=tmp_path))
        assert worker.wait() == -9
    nanny.close_gracefully.assert_called()
