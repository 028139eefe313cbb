"""The papers' own tables, figure by figure as they print them.

They were measured on other photos and machines: beside ours they show how far apart the authors'
networks lay, not which of two numbers is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Figure(StrEnum):
    """What this project measures under another's heading."""

    DICE = "dice"
    JACCARD = "jaccard"
    PRECISION = "precision"
    RECALL = "recall"
    ACCURACY = "accuracy"
    MIOU = "miou"
    MIOU_SHARE = "miou, 0 to 1"
    PARAMETERS = "parameters, in millions"
    MEGABYTES = "megabytes"
    A_SECOND = "photos a second"


@dataclass(frozen=True, slots=True)
class PaperTable:
    """Rows of one or more tables with the same columns; each begins with the table's name."""

    on: str
    columns: tuple[tuple[str, Figure | None], ...]
    """Headings, and what of ours stands under each; None where we measure no such thing."""
    rows: tuple[tuple[str, ...], ...]
    """Table, model, then a cell for each column."""


@dataclass(frozen=True, slots=True)
class Paper:
    cited: str
    networks: frozenset[str]
    """As `models.networks` names them."""
    table: PaperTable


MAO = Paper(
    cited="D. Mao, Z. Li, Z. Chen, H. Rao, J. Zhang, Z. Liu: *Based on Neural Networks: A Semantic "
    "Segmentation Algorithm for Optimization of Distributed Storage of Energy Big Data*, "
    "EasyChair preprint, 2022",
    networks=frozenset({"unet", "attention_unet"}),
    table=PaperTable(
        on="their 500 test photos of gas meters, 256 x 256",
        columns=(
            ("Dice %", Figure.DICE),
            ("Jaccard %", Figure.JACCARD),
            ("Precision %", Figure.PRECISION),
            ("Recall %", Figure.RECALL),
            ("Acc %", Figure.ACCURACY),
        ),
        rows=(
            (
                *("Table I", "Attention U-Net, Dice loss"),
                *("81.75 ± 0.15", "71.93 ± 0.14", "87.53 ± 0.13", "81.08 ± 0.83", "97.55 ± 0.01"),
            ),
            (
                *("Table I", "Attention U-Net, cross entropy"),
                *("81.91 ± 0.17", "72.37 ± 0.28", "88.23 ± 0.11", "81.73 ± 0.44", "97.63 ± 0.04"),
            ),
            (
                *("Table I", "Attention U-Net, 0.36 (Dice loss + cross entropy)"),
                *("82.98 ± 0.05", "74.37 ± 0.11", "89.09 ± 0.09", "82.73 ± 0.23", "97.71 ± 0.02"),
            ),
            (
                *("Table II", "gates at 1"),
                *("81.13 ± 0.12", "73.14 ± 0.04", "88.15 ± 0.16", "82.21 ± 0.64", "97.58 ± 0.11"),
            ),
            (
                *("Table II", "gates at 2"),
                *("81.56 ± 0.09", "72.43 ± 0.15", "87.66 ± 0.13", "82.15 ± 0.88", "97.46 ± 0.06"),
            ),
            (
                *("Table II", "gates at 1+2"),
                *("82.98 ± 0.05", "74.37 ± 0.11", "89.09 ± 0.09", "82.73 ± 0.23", "97.71 ± 0.02"),
            ),
            (
                *("Table III", "U-Net"),
                *("81.21 ± 0.14", "71.75 ± 0.13", "87.47 ± 0.11", "81.05 ± 0.92", "97.54 ± 0.03"),
            ),
            (
                *("Table III", "Attention U-Net"),
                *("82.98 ± 0.05", "74.37 ± 0.11", "89.09 ± 0.09", "82.73 ± 0.23", "97.71 ± 0.02"),
            ),
        ),
    ),
)

CHEN = Paper(
    cited="S.-Y. Chen, G.-S. Chen, W.-P. Jing: *A Miniaturized Semantic Segmentation Method for "
    "Remote Sensing Image* (Micro-Net)",
    networks=frozenset({"unet", "micro_net"}),
    table=PaperTable(
        on="their validation patches of aerial photos of Austin, 500 x 500",
        columns=(
            ("Param (M)", Figure.PARAMETERS),
            ("mIOU (%)", Figure.MIOU),
            ("ACC (%)", Figure.ACCURACY),
        ),
        rows=(
            ("Table 1", "U-Net", "31.02", "79.48", "95.54"),
            ("Table 1", "Miniaturized-Net (BM1)", "5.36", "75.59", "94.54"),
            ("Table 2", "4x U-Net (BM2)", "0.93", "75.65", "94.42"),
            ("Table 2", "(1,2,3), (1,2,3), (1,2,3) (BM3)", "0.93", "75.78", "94.40"),
            ("Table 2", "(1,2,5), (1,2,3), (1,1,2)", "0.93", "75.70", "94.52"),
            ("Table 2", "(1,1,2,3) (Micro-Net)", "1.06", "76.81", "94.79"),
            ("Table 2", "(1,1,1,2,3)", "1.18", "76.37", "94.69"),
        ),
    ),
)

JIA = Paper(
    cited="X. Jia, Z. Li, K. Li: *Pixel-level semantic segmentation based on gradient features* "
    "(GraDNet), Proc. SPIE 12506, 125066V, 2022",
    networks=frozenset({"unet", "gradnet"}),
    table=PaperTable(
        on="ADE20K (Table 2) and Cityscapes (Table 3), cut to 500 x 500, on an RTX 2070",
        columns=(
            ("AUC (%)", None),
            ("fps", Figure.A_SECOND),
            ("Model (Mb)", Figure.MEGABYTES),
        ),
        rows=(
            ("Table 2", "GraDNet", "73.8", "20.1", "22.1"),
            ("Table 2", "Deep snake", "67.4", "12.3", "30.6"),
            ("Table 2", "UNet", "68.6", "16.4", "28.7"),
            ("Table 2", "PANet", "70.2", "13.6", "32.6"),
            ("Table 2", "FCIS", "66.7", "13.2", "26.1"),
            ("Table 2", "ESE", "65.3", "15.1", "28.8"),
            ("Table 2", "STS", "69.0", "14.7", "32.1"),
            ("Table 3", "GraDNet", "88.6", "28.6", "22.1"),
            ("Table 3", "Deep snake", "82.4", "14.6", "30.6"),
            ("Table 3", "UNet", "78.4", "18.6", "28.7"),
            ("Table 3", "PANet", "86.5", "17.5", "32.6"),
            ("Table 3", "FCIS", "79.4", "16.2", "26.1"),
            ("Table 3", "ESE", "68.6", "18.7", "28.8"),
            ("Table 3", "STS", "63.2", "16.5", "32.1"),
        ),
    ),
)

LIAO = Paper(
    cited="J.-W. Liao et al.: *MediaTek Low-power Semantic Segmentation*, project report, 2022",
    networks=frozenset({"unet", "residual_unet"}),
    table=PaperTable(
        on="their validation photos of traffic, six classes, 192 x 320",
        columns=(("val mIoU", Figure.MIOU_SHARE),),
        rows=(
            ("section 4, unnumbered", "UNet, 5 channels, 256 x 256", "0.557"),
            ("section 4, unnumbered", "UNet, 5 channels", "0.609"),
            ("section 4, unnumbered", "UNet, 8 channels", "0.606"),
            ("section 4, unnumbered", "UNet, 8 channels, convolutions of stride 2", "0.542"),
            ("section 4, unnumbered", "UNet, 12 channels, no batch norm", "0.562"),
            ("section 4, unnumbered", "UNet, 12 channels", "0.585"),
            ("section 4, unnumbered", "UNet, 12 channels", "0.601"),
            ("section 4, unnumbered", "UNet, 12 channels, residual", "0.612"),
        ),
    ),
)

PAPERS = (MAO, CHEN, JIA, LIAO)
UNET_PARAMETERS = 31.02e6
"""Of the U-Net that Chen et al. compare with (Table 1)."""
