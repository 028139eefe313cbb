"""The papers' tables, each followed by our rows under the same headings."""

from __future__ import annotations

from collections.abc import Iterator

from models.comparison.comparison import Comparison, Row, over_seeds
from models.comparison.papers import PAPERS, Figure, Paper
from models.comparison.tables import ABSENT, measured, percent, table


def beside_papers(compared: Comparison) -> str:
    """Our figures are of the first folder; a paper's own networks come with all that are ours."""
    title = compared.folders[0].title
    said = (
        "A paper's rows are as it prints them, on its own photos and machine: they show how far "
        "apart its authors found the networks, and are no measure against ours. Our rows are of "
        f"{title}; photos a second are at one thread of a CPU."
    )
    return "\n\n".join([said, *(_paper(paper, compared, title) for paper in PAPERS)])


def _paper(paper: Paper, compared: Comparison, title: str) -> str:
    heads = ("table", "model", *(head for head, _ in paper.table.columns))
    rows = [*paper.table.rows, *_ours(paper, compared, title)]
    return f"**{paper.cited}**; on {paper.table.on}.\n\n" + table(heads, rows, words=2)


def _ours(paper: Paper, compared: Comparison, title: str) -> Iterator[list[str]]:
    for row in compared.rows:
        if row.entrant is not None and _belongs(row, paper):
            cells = [_cell(row, figure, title) for _, figure in paper.table.columns]
            yield ["**here**", _titled(row), *cells]


def _belongs(row: Row, paper: Paper) -> bool:
    """Of the paper's networks, or of no paper's: ours, and those that do not tell."""
    network = _network_of(row)
    return network in paper.networks or all(network not in one.networks for one in PAPERS)


def _network_of(row: Row) -> str:
    return "" if row.origin is None else str(row.origin.network.get("name", ""))


def _titled(row: Row) -> str:
    is_small = row.origin is not None and row.origin.reduced
    return f"{row.name} (small form)" if is_small else row.name


def _cell(row: Row, figure: Figure | None, title: str) -> str:
    found = over_seeds(row.scores[title])
    entrant = row.entrant
    match figure:
        case None:
            return ABSENT
        case Figure.PARAMETERS:
            return ABSENT if entrant is None else f"{entrant.cost.parameters / 1e6:.2f}"
        case Figure.MEGABYTES:
            return ABSENT if entrant is None else f"{entrant.bytes / 1e6:.1f}"
        case Figure.A_SECOND:
            return f"{1e3 / row.cpu_ms:.1f}"
        case Figure.MIOU_SHARE:
            return measured(found["miou"], digits=3)
        case _:
            return percent(found[figure.value])
