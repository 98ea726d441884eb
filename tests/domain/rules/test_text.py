"""Rules of texts."""

from accountsapp.domain.rules.text import initial_of


def test_an_initial_is_seen() -> None:
    initials = {
        "Alice": "A",
        "alice": "a",
        "7 of 9": "7",
        " Bob": "B",
        "\u200b\u2060Zero": "Z",
        "\u202eRight": "R",
        "\u3164\u115fFiller": "F",
        "\u0301mark": "m",
        "“Quoted” person": "Q",
        "'t Hooft": "t",
        "e\u0301milie": "e\u0301",
        "éa": "é",
        "z" + "\u0301" * 30: "z" + "\u0301" * 3,
        "नि": "नि",
        "山田太郎": "山",
        "محمد": "م",
        "ışık": "ı",
        "\U0001f469\u200d\U0001f467 Family": "\U0001f469",
        "\U0001f44b\U0001f3fd": "\U0001f44b\U0001f3fd",
        "\U0001f1e9\U0001f1ea Germany": "\U0001f1e9\U0001f1ea",
        "\U0001f1e9!": "\U0001f1e9",
        "...": ".",
        "\u200b": "\u200b",
        "": "",
    }
    assert {name: initial_of(name) for name in initials} == initials
