"""Which revisions there are, as the files of the migrations say."""

from alembic.script import ScriptDirectory

from accountsapp.migrations import revision


def test_the_files_say_what_alembic_says() -> None:
    scripts = ScriptDirectory.from_config(revision.alembic_config())
    assert revision.newest_revision() == scripts.get_current_head()
    assert revision.revisions() == {
        script.revision: script.down_revision for script in scripts.walk_revisions()
    }
