"""The training side: networks, data, training, evaluation and export."""
