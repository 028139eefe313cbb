"""One vendor each behind the Protocols of `service.ports`."""
