"""Values and rules; imports the standard library and numpy, nothing else."""
