"""The HTTP surface: parse, call one service, dump."""
