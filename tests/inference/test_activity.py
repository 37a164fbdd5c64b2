"""Statistics of inferences: those used last are kept, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

from service.inference.activity import MOST_SIZES, MOST_VERSIONS, Statistics, Taken

TAKEN = Taken(queue=1, input=2, infer=3, output=4)


def test_the_parts_add_up() -> None:
    statistics = Statistics()
    statistics.succeeded("a", 0, 5, TAKEN)
    statistics.succeeded("a", 0, 5, TAKEN)
    statistics.failed("a", 0, 7)
    (shown,) = statistics.to_json({("a", 0): "name"})
    assert (shown["name"], shown["version"], shown["inference_count"], shown["execution_count"]) == ("name", "0", 10, 2)
    assert shown["inference_stats"] == {
        "success": {"count": 2, "ns": 20},
        "fail": {"count": 1, "ns": 7},
        "queue": {"count": 2, "ns": 2},
        "compute_input": {"count": 2, "ns": 4},
        "compute_infer": {"count": 2, "ns": 6},
        "compute_output": {"count": 2, "ns": 8},
    }


def test_versions_and_models_are_counted_apart() -> None:
    statistics = Statistics()
    for model, version in (("b", 1), ("a", 10), ("a", 2), ("gone", 0)):
        statistics.succeeded(model, version, 1, TAKEN)
    names = {("a", 2): "A", ("a", 10): "A", ("b", 1): "B", ("b", 2): "B"}
    shown = [(each["name"], each["version"]) for each in statistics.to_json(names)]
    assert shown == [("A", "2"), ("A", "10"), ("B", "1")]
    assert [each["version"] for each in statistics.to_json({("a", 10): "A"})] == ["10"]
    assert statistics.to_json({("a", 3): "A"}) == []


def test_what_was_used_longest_ago_is_forgotten() -> None:
    statistics = Statistics()
    for rows in [*range(1, MOST_SIZES + 1), 1, MOST_SIZES + 1]:
        statistics.succeeded("a", 0, rows, TAKEN)
    (shown,) = statistics.to_json({("a", 0): "A"})
    sizes = {each["batch_size"] for each in shown["batch_stats"]}
    assert len(sizes) == MOST_SIZES
    assert {1, MOST_SIZES + 1} <= sizes
    assert 2 not in sizes
    for version in range(1, MOST_VERSIONS + 1):
        statistics.failed("b", version, 1)
    assert statistics.to_json({("a", 0): "A"}) == []


def test_none_is_lost_when_many_count_at_once() -> None:
    statistics = Statistics()

    def count(_: int) -> None:
        for _ in range(500):
            statistics.succeeded("a", 0, 1, TAKEN)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    (shown,) = statistics.to_json({("a", 0): "A"})
    assert (shown["execution_count"], shown["inference_stats"]["queue"]["ns"]) == (4000, 4000)
