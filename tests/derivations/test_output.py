"""Output folders: all of their files or none."""

import pytest

from derivations.output import whole_folder


def test_files_appear_together_at_the_end(tmp_path):
    """Oracle: the folder itself, during and after."""
    out = tmp_path / "a" / "b"
    with whole_folder(out) as work:
        (work / "one").write_text("1")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def write_one_and_fail(out):
    with whole_folder(out) as work:
        (work / "one").write_text("new")
        (work / "missing").read_text()


def test_an_error_leaves_nothing(tmp_path):
    """What was there before stays as it was; no working folder remains."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "one").write_text("old")
    with pytest.raises(FileNotFoundError):
        write_one_and_fail(out)
    assert (out / "one").read_text() == "old"
    assert [path.name for path in out.iterdir()] == ["one"]


def test_other_files_stay(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with whole_folder(tmp_path) as work:
        (work / "one").write_text("1")
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "one"}


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with (
        pytest.raises(NotADirectoryError, match="taken is not a folder"),
        whole_folder(tmp_path / "taken" / "out"),
    ):
        pass
