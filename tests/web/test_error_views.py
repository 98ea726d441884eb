"""What is remembered of error views is bounded, whatever clients ask for."""

from webtest import TestApp


def test_deep_paths_are_remembered_no_more_than_others(app: TestApp) -> None:
    """Somebody may ask below a place whose parts are alike for each depth that a path can have."""
    error_view_of = app.app.registry.error_view_of
    depths = (1, 2, 3, 50, 51, 1000)
    sizes = set()
    for depth in depths:
        app.get("/api/certificates" + "/x" * depth, status=404)
        sizes.add((len(error_view_of), max(map(len, error_view_of))))
    assert len(sizes) == 1
