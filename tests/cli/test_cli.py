"""The command line, as a person or a container runs it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from installation import HEADS, Done, Installation, said_no

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_a_database_that_is_not_migrated_is_not_served(empty: Installation) -> None:
    said = said_no(empty.start("serve"))

    assert said == f"migrations are pending ({', '.join(HEADS)}): classbolt migrate"
    assert not (empty.folder / "data" / "classbolt.db").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("bolt-ons", "list", "--account", "studio"),
        ("account", "create", "studio", "--name", "S"),
    ],
)
def test_a_command_says_in_a_line_that_the_database_was_never_migrated(
    empty: Installation, command: tuple[str, ...]
) -> None:
    assert "migrate" in empty.refuses(*command)


def test_a_database_that_does_not_answer_is_said_in_a_line(tmp_path: Path) -> None:
    nowhere = Installation(
        tmp_path, {"DATABASE_URL": "postgresql+asyncpg://me:s3cret@127.0.0.1:1/classbolt"}
    )

    told = nowhere.refuses("migrate")

    assert told.startswith("the database does not answer")
    assert "s3cret" not in told


def test_a_file_that_is_no_database_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "classbolt.db").write_text("Dear diary, " * 1000)

    assert "not a database" in Installation(tmp_path).refuses("migrate")


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.does("migrate")
    with closing(sqlite3.connect(tmp_path / "data" / "classbolt.db")) as database:
        database.execute("UPDATE core_schema_version SET version_num = '9999'")
        database.commit()

    assert "'9999'" in installation.refuses("migrate")


def test_migrating_twice_does_nothing(opened: Installation) -> None:
    assert opened.does("migrate") == "Nothing to do."


def test_an_account_that_cannot_be_opened_is_refused(opened: Installation) -> None:
    for arguments, said in (
        (["Studio One", "--name", "Studio"], "A slug is 3 to 40 lower-case letters"),
        (["two", "--name", "Studio", "--time-zone", "Mars/Base"], "This is not a time zone"),
        (["two", "--name", "Studio", "--currency", "pounds"], "A currency is three capital"),
        (["two", "--name", " "], "A name is 1 to 200 characters."),
    ):
        assert opened.refuses("account", "create", *arguments).startswith(said)
    assert opened.refuses("account", "create", "studio", "--name", "Studio") == (
        "There is an account of this slug already."
    )


def test_staff_are_added_to_an_account_that_exists(opened: Installation) -> None:
    assert opened.refuses("staff", "add", "--account", "nowhere", "--name", "Olga") == (
        "There is no such account."
    )


def test_tokens_are_given_to_people_of_the_account(opened: Installation, owner: str) -> None:
    unknown = "There is nothing with this id."

    assert opened.refuses("token", "--account", "studio", "--staff", "nobody") == unknown
    assert opened.refuses("token", "--account", "studio", "--customer", owner) == unknown
    neither = opened.run("token", "--account", "studio")
    assert neither.code == 2
    assert "Name a customer or a member of staff." in neither.err


def test_production_knows_no_tokens_of_ours_and_no_demo(
    opened: Installation, owner: str
) -> None:
    production = opened.in_production()
    refused = "the development issuer does not exist in production"

    token = production.refuses("token", "--account", "studio", "--staff", owner)
    demo = production.refuses("serve", "--demo")

    assert token.startswith(refused)
    assert demo.startswith(refused)
    assert opened.refuses("bolt-ons", "list", "--account", "northside") == (
        "There is no such account."
    )


def test_bolt_ons_are_listed_and_switched(opened: Installation) -> None:
    of_studio = ("--account", "studio")

    def shown() -> list[str]:
        lines = opened.does("bolt-ons", "list", *of_studio).splitlines()
        return [" ".join(line.split()[:2]) for line in lines]

    assert shown() == ["off auto_refund", "off drop_in"]
    assert opened.does("bolt-ons", "enable", "drop_in", *of_studio) == "drop_in is on."
    assert shown() == ["off auto_refund", "on drop_in"]
    assert opened.does("bolt-ons", "disable", "drop_in", *of_studio) == "drop_in is off."
    assert opened.refuses("bolt-ons", "enable", "waitlist", *of_studio) == (
        "No bolt-on of this name is installed."
    )


def test_the_schema_that_is_exported_is_the_one_that_is_kept(opened: Installation) -> None:
    exported = opened.run("schema", "export")

    assert exported == Done(0, SDL.read_text("utf-8"), "")


@pytest.mark.usefixtures("bolt_on_that_is_gone")
def test_what_is_logged_is_no_part_of_what_a_command_prints(opened: Installation) -> None:
    exported = opened.run("schema", "export")

    assert (exported.code, exported.out) == (0, SDL.read_text("utf-8"))
    assert "bolt_on_not_loaded" in exported.err


def test_a_setting_that_is_misspelt_is_named(opened: Installation) -> None:
    misspelt = Installation(opened.folder, {"CLASSBOLT_ISUER": "https://id.example"})

    assert misspelt.refuses("migrate") == (
        "CLASSBOLT_ISUER is not a setting of Classbolt; did you mean CLASSBOLT_ISSUER?"
    )


def test_what_was_set_up_is_served_until_it_is_stopped(
    opened: Installation, owner: str
) -> None:
    token = opened.does("token", "--account", "studio", "--staff", owner)

    with opened.serving() as server:
        assert server.ask("studio", "{ account { name } }") == {"account": {"name": "Studio"}}
        assert server.ask("studio", "{ customers { edges { cursor } } }", token) == {
            "customers": {"edges": []}
        }


@pytest.mark.unmeasured  # each process is measured elsewhere
def test_the_demo_prints_tokens_that_work_in_all_its_processes(
    tmp_path: Path,
) -> None:
    me = "{ me { name bookings(first: 9) { edges { node { way } } } } }"

    with Installation(tmp_path).serving("--demo", "--workers", "2") as server:
        printed = [line.strip() for line in server.output.read_text().splitlines()]
        ana = printed[printed.index("Ana, who bought the Mondays:") + 1]
        owner = printed[printed.index("The owner:") + 1]

        for _ in range(6):
            found = server.ask("northside", me, ana)["me"]
            assert found["name"] == "Ana"
            assert len(found["bookings"]["edges"]) == 6
        names = server.ask("northside", "{ customers { edges { node { name } } } }", owner)
        assert len(names["customers"]["edges"]) == 3
        assert server.client.base_url.port is not None
        assert str(server.client.base_url.port) in server.output.read_text()
