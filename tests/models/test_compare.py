"""`metercrop-models compare` on tiny networks and a few drawn photos."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import typer.testing
from PIL import Image

from models.classical import METHODS
from models.cli import application
from models.comparison import Comparison, as_json, compare, write_report
from models.comparison.chart import BOTTOM, DOT, LEFT, NETWORK, RIGHT, TOP, Point, chart
from models.comparison.comparison import over_seeds
from models.comparison.entrants import entrants_of
from models.comparison.figure import TRUE_COLOUR
from models.comparison.papers import PAPERS
from models.comparison.scenes import Scene, scenes
from models.origin import Origin, as_metadata
from models.rendering import MeterKind, render
from tests.segmenters import colour_model

ORIGIN = Origin(
    recipe="first",
    seed=1,
    epochs=3,
    network={"name": "unet", "base_width": 4},
    data={"drawn": 0.5},
    data_sha256="ab" * 32,
    source="Ronneberger 2015",
    reduced="3 epochs, width 4",
)
FULL = replace(ORIGIN, recipe="second", network={"name": "micro_net"}, reduced="")


@dataclass(frozen=True, slots=True)
class Written:
    """A comparison and the report on it."""

    compared: Comparison
    report: Path
    text: str


def network(folder: Path, name: str, origin: Origin | None, *, file: str) -> Path:
    """An ONNX file that finds what is red, telling `origin` of itself, with its card."""
    path = colour_model(folder)
    model = onnx.load(path)
    told = {prop.key: prop.value for prop in model.metadata_props} | {"metercrop.name": name}
    onnx.helper.set_model_props(model, told | (as_metadata(origin) if origin else {}))
    content = model.SerializeToString()
    placed = folder / f"{file}.onnx"
    placed.write_bytes(content)
    placed.with_suffix(".md").write_text(hashlib.sha256(content).hexdigest())
    return placed


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn photos whose counters are painted red, so that the network finds them."""
    root = tmp_path_factory.mktemp("data")
    for kind in ("images", "masks"):
        (root / "drawn" / kind).mkdir(parents=True)
    for seed in range(3):
        drawn = render(seed, kind=MeterKind.WATER, width=320, height=256)
        drawn.photo.paste((230, 20, 20), mask=drawn.mask)
        drawn.photo.save(root / "drawn" / "images" / f"n{seed}.jpg", quality=95)
        drawn.mask.save(root / "drawn" / "masks" / f"n{seed}.png")
    (root / "drawn" / "split.json").write_text(json.dumps({"val": ["n1"]}))
    return root


@pytest.fixture(scope="module")
def scene() -> Scene:
    return scenes((320, 256))[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Two seeds of one recipe, another recipe, and a file that tells nothing of its training."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "first": network(folder, "first", ORIGIN, file="first-1"),
        "again": network(folder, "first", replace(ORIGIN, seed=2), file="first-2"),
        "second": network(folder, "second", FULL, file="second"),
        "old": network(folder, "old", None, file="old"),
    }


@pytest.fixture(scope="module")
def written(
    files: Mapping[str, Path], data: Path, scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> Written:
    titles = ("drawn:val", "drawn")
    compared = compare(list(files.values()), data=data, folders=titles, repeats=1, drawn=[scene])
    to = tmp_path_factory.mktemp("report") / "report.md"
    write_report(compared, to)
    return Written(compared, to, to.read_text())


def line(text: str, start: str) -> list[str]:
    """The cells of the first row of a table that begins so."""
    found = next(one for one in text.splitlines() if one.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_networks_and_classical_methods_stand_side_by_side(written: Written) -> None:
    names = [row.name for row in written.compared.rows]
    assert names == ["first", "second", "old", *METHODS]
    for name in names:
        assert float(line(written.text, name)[-1]) > 0.0


def test_seeds_of_one_recipe_are_one_row_with_mean_and_sd(written: Written) -> None:
    row = written.compared.rows[0]
    assert row.entrant is not None
    assert row.entrant.seeds == (1, 2)
    assert len(row.scores["drawn"]) == 2
    assert line(written.text, "first")[1].endswith(" ± 0.00")
    assert "±" not in line(written.text, "second")[1]


def test_network_that_finds_what_is_painted_is_better_than_any_classical_method(
    written: Written,
) -> None:
    dice = [over_seeds(row.scores["drawn"])["dice"].mean for row in written.compared.rows]
    assert min(dice[:3]) > 0.8 > max(dice[3:])


def test_small_form_is_called_so_and_one_in_full_by_its_source(written: Written) -> None:
    _, after = written.text.split("## How each was trained")
    small, full = line(after, "first"), line(after, "second")
    assert small[2] == "**small form** of Ronneberger 2015: 3 epochs, width 4"
    assert small[3:6] == ["unet, base_width 4", "3", "1, 2"]
    assert small[6] == "drawn (`abababababab`)"
    assert full[2] == "in full, by Ronneberger 2015"
    assert line(after, "old")[1] == "not told by the file"


def test_photos_that_a_network_learned_from_are_marked(written: Written) -> None:
    held_out, whole = written.text.split("## On drawn\n")
    assert "†" not in held_out
    assert line(whole, "first †")
    assert line(whole, "old")


def test_only_what_a_folder_holds_out_is_compared_on_where_so_asked(written: Written) -> None:
    by_title = {one.title: one for one in written.compared.folders}
    assert [one.name for one in by_title["drawn:val"].examples] == ["n1"]
    assert len(by_title["drawn"].examples) == 3
    assert "1 photos held out of training" in written.text


def test_papers_tables_stand_beside_rows_of_their_networks(written: Written) -> None:
    _, after = written.text.split("## Beside the papers' own tables")
    micro_net = after.split("Micro-Net)**")[1].split("**X. Jia")[0]
    assert "| Table 2 | (1,1,2,3) (Micro-Net) | 1.06 | 76.81 | 94.79 |" in micro_net
    assert "| **here** | second |" in micro_net
    mao = after.split("**S.-Y. Chen")[0]
    assert "| **here** | first (small form) |" in mao
    assert "| **here** | second |" not in mao  # a network of another paper
    assert "| **here** | old |" in mao


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.cited[:12])
def test_each_row_of_a_papers_table_has_a_cell_for_each_heading(paper: object) -> None:
    table = next(one.table for one in PAPERS if one is paper)
    assert {len(row) for row in table.rows} == {2 + len(table.columns)}


def test_report_says_that_no_gpu_was_there_or_has_its_column(written: Written) -> None:
    assert ("ms, GPU" in written.text) == written.compared.machine.has_gpu
    assert ("There is no GPU" in written.text) != written.compared.machine.has_gpu


def test_pictures_lie_beside_the_report_which_shows_them(written: Written) -> None:
    for picture in ("report-masks.png", "report-speed.png"):
        assert f"]({picture})" in written.text
        with Image.open(written.report.with_name(picture)) as opened:
            assert opened.format == "PNG"
    assert sorted(file.suffix for file in written.report.parent.iterdir()) == [
        ".md",
        ".png",
        ".png",
    ]


def test_figure_shows_the_truth_in_its_colour(written: Written) -> None:
    with Image.open(written.report.with_name("report-masks.png")) as opened:
        colours = np.asarray(opened.convert("RGB")).reshape(-1, 3)
    assert (colours == TRUE_COLOUR).all(axis=1).any()


def test_classical_method_keeps_only_what_it_does_not_find_or_gain_by(written: Written) -> None:
    for row in written.compared.rows[3:]:
        assert row.entrant is None
        (found,) = row.scores["drawn"]
        assert 0.0 <= found.kept < 1.0
        assert found.exact == 1.0


def test_figures_are_told_to_machines_too(written: Written) -> None:
    told = json.loads(json.dumps(as_json(written.compared)))
    first, *_, classical = told["rows"]
    assert [one["seed"] for one in first["trained"]] == [1, 2]
    assert first["scores"]["drawn"]["readings_lost"] == {"mean": 0.0, "sd": 0.0}
    assert first["gflop"] == 0.0
    assert first["cpu_ms"] > 0.0
    assert (classical["name"], classical["parameters"]) == ("k_means", None)
    assert told["folders"]["drawn"]["photos"] == 3


def test_scenes_of_the_figure_are_drawn_and_one_shows_no_meter() -> None:
    shown = scenes((320, 256))
    empty = [one.kind for one in shown if not one.truth.any()]
    assert empty == [MeterKind.NONE]
    assert len({one.photo.sha256 for one in shown}) == len(shown)


@pytest.mark.parametrize("dice", [0.0, 0.849, 1.0])
def test_chart_of_a_single_network_has_its_point_in_the_field(dice: float) -> None:
    drawn = chart([Point("alone", 20.0, dice)], on="water")
    field = np.asarray(drawn.crop((LEFT - DOT, TOP - DOT, RIGHT, BOTTOM + DOT + 1)))
    assert (field == NETWORK).all(axis=2).any()


def call(*arguments: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(application(), list(arguments))


def test_command_writes_the_report_and_prints_json(
    files: Mapping[str, Path], data: Path, tmp_path: Path
) -> None:
    to = tmp_path / "made" / "report.md"
    options = ("--data", str(data), "--folders", "drawn:val", "--to", str(to), "--repeats", "1")
    done = call("compare", str(files["second"]), *options, "--json")
    assert done.exit_code == 0, done.output
    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["second", *METHODS]
    assert to.read_text().startswith("# Networks and classical methods side by side")


def test_files_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    once, twice = (network(tmp_path, "same", None, file=file) for file in ("once", "twice"))
    assert [row.name for row in entrants_of([once, twice, once])] == ["once", "twice"]


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ("absent", "there is no folder"),
        ("drawn:train", "'drawn:train' is no folder; write drawn, or drawn:val"),
        (",", "name at least one model and one folder"),
    ],
)
def test_folder_that_is_none_is_refused_in_one_line(
    files: Mapping[str, Path], data: Path, tmp_path: Path, *, folders: str, said: str
) -> None:
    options = ("--data", str(data), "--folders", folders, "--to", str(tmp_path / "report.md"))
    refused = call("compare", str(files["old"]), *options)
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_model_is_refused_in_one_line(data: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"no model")
    options = ("--data", str(data), "--folders", "drawn", "--to", str(tmp_path / "report.md"))
    refused = call("compare", str(foreign), *options)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"metercrop-models: cannot read {tmp_path / 'foreign.md'}")
    assert refused.stderr.count("\n") == 1


def test_evaluation_is_told_to_machines_too(files: Mapping[str, Path], data: Path) -> None:
    done = call("evaluate", str(files["old"]), "drawn", "--data", str(data), "--json")
    scored = json.loads(done.stdout)["drawn"]
    assert (scored["photos"], scored["held"]) == (3, 1.0)
    assert scored["dice"] > scored["box_iou"] > 0.4


def test_help_shows_an_example() -> None:
    assert "Example: metercrop-models compare" in call("compare", "--help").stdout
