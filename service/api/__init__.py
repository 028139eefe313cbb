"""The HTTP side: routers, schemas, problem answers, keys."""
