"""How the tables came to be, step by step; `service.adapters.sql.migrate` runs the steps."""
