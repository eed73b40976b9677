from tests.unit.record.conftest import database, postgres, url
from tests.unit.serve.conftest import made, made_again, release

__all__ = ["database", "made", "made_again", "postgres", "release", "url"]
