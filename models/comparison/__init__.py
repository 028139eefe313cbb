"""`metercrop-models compare`: one report of every network and classical method side by side."""

from models.comparison.as_json import as_json
from models.comparison.comparison import Comparison, compare
from models.comparison.report import write_report

__all__ = ["Comparison", "as_json", "compare", "write_report"]
