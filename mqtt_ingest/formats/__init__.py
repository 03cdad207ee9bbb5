"""Payload formats, one module each: bytes in, readings out, no I/O."""
