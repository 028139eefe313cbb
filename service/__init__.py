"""metercrop: keeps what matters of a meter photo."""
