"""The calls, as clients of GitLab make them."""

from webtest import TestApp

from accountsapp.testing.people import Person


def test_oneself(app: TestApp, alice: Person) -> None:
    user = app.get("/api/v4/user", headers={"PRIVATE-TOKEN": alice.api_key}).json
    assert (user["id"], user["username"], user["name"], user["email"]) == (
        alice.id,
        "alice",
        "Alice Liddell",
        "alice@example.com",
    )


def test_a_change(app: TestApp, alice: Person, admin: Person) -> None:
    url, headers = f"/api/v4/users/{alice.id}", {"PRIVATE-TOKEN": admin.api_key}
    changed = app.put(url, {"bio": "Falls", "name": ""}, headers=headers).json
    assert (changed["bio"], changed["name"]) == ("Falls", "alice")
    assert app.put_json(url, {"location": "Wonderland"}, headers=headers).json["bio"] == "Falls"
    assert app.get(url).json["location"] == "Wonderland"


def test_bad_fields_are_named(app: TestApp, alice: Person, admin: Person) -> None:
    headers = {"PRIVATE-TOKEN": admin.api_key}
    answer = app.put_json(f"/api/v4/users/{alice.id}", {"bio": 3}, headers=headers, status=400)
    assert set(answer.json["message"]) == {"bio"}


def test_nobody(app: TestApp) -> None:
    for number in ("0", "99", "x", "9" * 30):
        assert app.get(f"/api/v4/users/{number}", status=404).json == {"message": "404 Not Found"}


def test_documents(app: TestApp) -> None:
    document = app.get("/docs/gitlab.json").json
    assert set(document["paths"]) == {"/api/v4/user", "/api/v4/users/{id}"}
