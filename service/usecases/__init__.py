"""What a user asks for, each in one file; knows no vendor."""
