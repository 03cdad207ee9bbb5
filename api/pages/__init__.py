"""Pages for people: what an inspector or an auditor takes along on paper."""
