"""What a recipe's file may say, and what is told of one that says it wrongly."""

from pathlib import Path

import pytest
import torch

from models.augment import Augmentation
from models.catalogue import catalogue
from models.datasets import Annotation
from models.learner import OptimizerKind, ScheduleKind
from models.losses import LossKind
from models.recipe import read_recipe
from models.recipe_file import shipped, variants_of

WHOLE = """
seed = 3
side = 64
source_side = 64
network = { name = "unet", base_width = 4, levels = 3 }

[[data]]
folder = "ours"

[[stage]]
window = 64
epochs = 2
batch = 4
peak_rate = 1e-3
"""

ALL = [
    name + varied for name in shipped() for varied in ("", *(f"+{v}" for v in variants_of(name)))
]


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    (tmp_path / "whole.toml").write_text(WHOLE)
    return tmp_path


def written(recipes: Path, said: str, *, name: str = "mine.toml") -> Path:
    path = recipes / name
    path.write_text(said)
    return path


def test_shipped_recipes_and_their_variants_build_their_networks() -> None:
    networks = {repr(recipe.network): recipe for recipe in map(read_recipe, ALL)}
    with torch.device("meta"):
        for recipe in networks.values():
            recipe.build_network()


def test_stages_show_no_more_than_the_model_s_square() -> None:
    for recipe in map(read_recipe, ALL):
        assert recipe.side == 256
        assert all(stage.window in (128, 256) for stage in recipe.stages)


def test_no_two_recipes_or_variants_have_the_same_name() -> None:
    names = [read_recipe(reference).name for reference in ALL]
    assert len(set(names)) == len(names)


def test_recipes_of_papers_learn_from_the_same_photos_and_say_their_source() -> None:
    of_papers = [recipe for recipe in map(read_recipe, ALL) if recipe.source]
    assert len(of_papers) > 15
    assert {tuple(source.folder for source in one.data) for one in of_papers} == {
        ("water", "gas_640")
    }


def test_recipe_that_is_smaller_than_its_paper_s_says_so() -> None:
    assert all(read_recipe(one).reduced for one in ALL if "_small" in one)
    assert not any(read_recipe(one).reduced for one in ALL if "_small" not in one)


def test_mao_trains_as_the_paper_says() -> None:
    mao = read_recipe("mao")
    assert (mao.optimizer.kind, mao.optimizer.rate) == (OptimizerKind.ADAM, 1e-3)
    assert mao.optimizer.weight_decay == 1e-9
    assert (mao.schedule.kind, mao.schedule.epochs) == (ScheduleKind.STEP, 25)
    assert mao.schedule.factor == 0.1
    assert (mao.loss.kind, mao.loss.weight) == (LossKind.BOTH, 0.36)
    assert (mao.epochs, mao.stages[0].batch, mao.side) == (100, 8, 256)
    assert mao.augmentation is Augmentation.NONE


def test_ablations_of_loss_and_gates_differ_in_nothing_else() -> None:
    mao, ce, gates = map(read_recipe, ("mao", "mao+cross-entropy", "mao+gates-all"))
    assert (ce.loss.kind, ce.loss.weight) == (LossKind.CROSS_ENTROPY, 1.0)
    assert (ce.network, ce.stages, ce.optimizer) == (mao.network, mao.stages, mao.optimizer)
    assert gates.network == {**mao.network, "gated": [1, 2, 3, 4]}
    assert gates.loss == mao.loss


def test_variants_are_those_of_the_small_recipe_too() -> None:
    small = read_recipe("mao_small+unet")
    assert small.name == "unet-small"
    assert small.network == {"name": "unet", "base_width": 8}


def test_several_variants_may_follow_one_another() -> None:
    recipe = read_recipe("mao+dice+gate-1")
    assert recipe.name == "attention-unet-dice-gate-1"
    assert (recipe.loss.kind, recipe.network["gated"]) == (LossKind.DICE, [1])


def test_recipes_whose_weights_ship_mean_what_they_meant() -> None:
    for name in ("attention_unet_16", "quarter_unet"):
        recipe = read_recipe(name)
        assert recipe.optimizer.kind is OptimizerKind.ADAMW
        assert recipe.optimizer.largest_gradient == 1.0
        assert recipe.schedule.kind is ScheduleKind.ONE_CYCLE
        assert (recipe.loss.kind, recipe.loss.weight) == (LossKind.BOTH, 1.0)
        assert recipe.augmentation is Augmentation.PHONES


def test_own_recipe_takes_up_a_shipped_one(recipes: Path) -> None:
    said = 'extends = "mao_small"\n[[data]]\nfolder = "ours"\n[optimizer]\nrate = 5e-4\n'
    recipe = read_recipe(written(recipes, said, name="our_meters.toml"))
    shipped_one = read_recipe("mao_small")
    assert recipe.name == "our-meters"
    assert [source.folder for source in recipe.data] == ["ours"]
    assert recipe.data[0].annotation is None
    assert (recipe.optimizer.rate, recipe.optimizer.weight_decay) == (5e-4, 1e-9)
    assert recipe.stages == shipped_one.stages


def test_recipe_takes_up_the_one_that_lies_beside_it(recipes: Path) -> None:
    recipe = read_recipe(written(recipes, 'extends = "whole.toml"\nseed = 9\n'))
    assert (recipe.seed, recipe.side, recipe.name) == (9, 64, "mine")


def test_table_of_another_kind_leaves_no_option_of_the_one_below(recipes: Path) -> None:
    said = 'extends = "mao"\n[optimizer]\nkind = "sgd"\nrate = 0.1\n'
    recipe = read_recipe(written(recipes, said))
    assert recipe.optimizer.weight_decay == 0.0
    said = 'extends = "mao"\n[network]\nname = "unet"\n'
    assert read_recipe(written(recipes, said)).network == {"name": "unet"}


def test_annotation_that_is_not_said_is_found(recipes: Path) -> None:
    (recipes / "ours" / "images").mkdir(parents=True)
    (recipes / "ours" / "masks").mkdir()
    (source,) = read_recipe(recipes / "whole.toml").data
    assert source.annotation is None
    with pytest.raises(FileNotFoundError, match=f"no annotated photo .* and {Annotation.MASKS}"):
        source.examples(recipes)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (WHOLE.replace("seed = 3", ""), "seed is missing"),
        (WHOLE + "[losses]\n", "losses is not known"),
        (WHOLE.replace("epochs", "epocs"), r"\[stage\] 1 epochs is missing; .* epocs is not known"),
        (WHOLE + '[loss]\nkind = "focal"\n', r"\[loss\] kind is 'focal': .*'cross-entropy'"),
        (WHOLE + "[schedule]\nfactor = 2.0\n", r"\[schedule\] factor is 2.0: .* less than"),
        (WHOLE.replace("batch = 4", "batch = 0"), r"\[stage\] 1 batch is 0: .* greater than"),
        (WHOLE.replace("peak_rate = 1e-3", ""), "no rate"),
        ("side = = 3", "not valid TOML"),
        ('extends = "mine.toml"', "extends itself"),
        ('extends = "nothing"', "no recipe nothing"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(recipes: Path, said: str, told: str) -> None:
    with pytest.raises((OSError, ValueError), match=told) as raised:
        read_recipe(written(recipes, said))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ('{ name = "vnet" }', "no network is called 'vnet'"),
        ('{ name = "unet", gated = [1] }', "does not fit.*gated"),
        ("{ base_width = 4 }", "has no 'name'"),
    ],
)
def test_network_that_cannot_be_built_is_told(recipes: Path, network: str, told: str) -> None:
    said = WHOLE.replace('{ name = "unet", base_width = 4, levels = 3 }', network)
    with pytest.raises(ValueError, match=told):
        read_recipe(written(recipes, said)).build_network()


def test_unknown_variant_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no variant 'gate-9'.*cross-entropy, dice, gate-1"):
        read_recipe("mao+gate-9")


def test_catalogue_tells_network_size_source_and_variants() -> None:
    lines = catalogue().splitlines()
    assert "real_photos" not in lines
    told = lines[lines.index("mao") : lines.index("mao_small")]
    assert told[1].strip() == "attention_unet, 31.53 M parameters, 100 epochs; Mao et al. 2022"
    assert "+gates-all" in told[2].split()
