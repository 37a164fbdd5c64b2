"""Backups that are restored into a bucket."""

from pathlib import Path

import pytest

from service.backup.making import back_up
from service.backup.restoring import restore
from service.errors import Unavailable
from service.settings import Settings
from service.startup.preparation import Refused
from service.storage.bucket import Bucket
from service.storage.storage import Storage
from tests.support.writes import line, serving


def test_a_restore_that_fails_leaves_no_files_in_the_bucket(
    here: Storage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    with serving(tmp_path / "made") as http:
        for _ in range(2):
            line(http)
    archive = tmp_path / "descent.tar"
    back_up(Settings(data=tmp_path / "made"), archive)
    upload, empty = Bucket.upload, Settings(data=tmp_path / "other", storage=address)

    def fail_in_the_second(bucket: Bucket, folder: Path, name: str) -> None:
        upload(bucket, folder, name)
        if len(here.datasets()) == 2:
            raise Unavailable("The bucket is away.")

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "upload", fail_in_the_second)
        with pytest.raises(Refused, match="The bucket is away"):
            restore(empty, archive)
    assert here.datasets() == set()
    restore(empty, archive)
    assert len(here.datasets()) == 2
