"""A score in a re-drive is cross-fitted: no model, limit or baseline has seen a session or a task that it scores."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

import detection_world


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return detection_world.write(tmp_path_factory.mktemp("recorded"), each=24)


@pytest.fixture(scope="module")
def models(recorded, tmp_path_factory):
    import train_folds

    out = tmp_path_factory.mktemp("models")
    assert train_folds.main(["--data", str(recorded), "--out", str(out), "--folds", "4", "--size", "4"]) == 0
    return out


def test_a_task_is_in_one_fold_and_each_fold_has_a_model_without_it(recorded, models):
    from halo_studies.recordings.labelled_sessions import read

    folds = json.loads((models / "folds.json").read_text())
    of_task: dict[tuple[str, str], set[str]] = {}
    for session in read(recorded):
        of_task.setdefault((session.suite, session.task), set()).add(folds[session.id])
    assert {len(of) for of in of_task.values()} == {1}
    assert {path.name for path in models.glob("*.bin")} == {f"without-{fold}.bin" for fold in set(folds.values())}
    assert set(folds.values()) == set("0123")


def test_a_part_of_a_table_is_what_the_table_of_those_sessions_is(recorded):
    import numpy as np

    from halo_core.training.feature_tables import build_table, make_baseline_picker
    from halo_studies.recordings.labelled_sessions import looked, read
    from train_folds import part_of

    seen = looked(read(recorded))
    pick = make_baseline_picker("novel", seen)
    kept = np.arange(len(seen)) % 3 != 0
    part, alone = part_of(build_table(seen, pick), kept), build_table([seen[at] for at in np.flatnonzero(kept)], pick)
    assert np.array_equal(part.values, alone.values)
    for name in ("session", "event", "wrong", "label", "task", "first"):
        assert np.array_equal(getattr(part.rows, name), getattr(alone.rows, name)), name


def test_a_hijacked_session_is_stopped_with_the_score_and_the_ledger_holds(recorded, models, capsys, tmp_path):
    import redrive

    where = ["--data", str(recorded), "--limit", "24", "--no-manifest", "--score", str(models)]
    assert redrive.main([*where, "--home", str(tmp_path / "home"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["held"] is True
    assert set(figures["replay"]) == {"identical"}
    assert figures["first_act"]["attacked_hijacked"]["by"]["score"] > 0


def test_models_of_another_folder_are_refused(recorded, models, capsys, tmp_path):
    import redrive

    less = dict(list(json.loads((models / "folds.json").read_text()).items())[1:])
    folder = tmp_path / "models"
    folder.mkdir()
    for path in models.glob("*.bin"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "folds.json").write_text(json.dumps(less))
    where = ["--data", str(recorded), "--no-manifest", "--home", str(tmp_path / "home")]
    assert redrive.main([*where, "--score", str(folder)]) == 2
    assert "know nothing of session" in capsys.readouterr().err
    assert redrive.main([*where, "--score", str(tmp_path / "none")]) == 2
    assert "train_folds.py" in capsys.readouterr().err
