"""A county for each example; see tests.counties."""

from tests.counties import CountyTemplate as CountyTemplate
from tests.counties import any_county as any_county
from tests.counties import postgresql_county as postgresql_county
from tests.counties import sqlite_county as sqlite_county
