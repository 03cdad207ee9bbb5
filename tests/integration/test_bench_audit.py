"""The benchmark of the audit audits what an export would be."""

from bench import audit


def test_the_file_that_is_measured_is_whole() -> None:
    line = audit.measure(2_000)
    assert (line["leaves"], line["holds"]) == (2_000, True)
