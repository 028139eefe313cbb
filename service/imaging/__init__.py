"""Bytes in, bytes out: probing, the model's input, cropping and encoding."""
