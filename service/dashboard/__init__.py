"""The pages: what the service saved, its photos, jobs and health, for people in a browser."""
