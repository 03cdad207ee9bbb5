"""Proof that nothing is lost: real processes, killed at random moments for as long as is asked; not installed."""
