"""YAML from strangers becomes plain data with lines, or is refused with the line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercwatch.framework.yaml12 import MAX_BYTES, MAX_DEPTH, YamlError, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("1.0.0", "1.0.0"),
        ("<<", "<<"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("-17", -17),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ('"1"', "1"),
        ("'null'", "null"),
        ('""', ""),
    ],
)
def test_only_the_scalars_of_the_core_schema_are_converted(text: str, value: object) -> None:
    data, _ = read_yaml(f"key: {text}", "n")
    assert data == {"key": value}
    assert isinstance(data, dict) and type(data["key"]) is type(value)


def test_every_value_has_its_line() -> None:
    data, marks = read_yaml(
        "# note\na:\n  - x\n  - b: 1\n    c: >-\n      long\n      text\nd: [1,\n  2]\n", "n"
    )
    assert data == {"a": ["x", {"b": 1, "c": "long text"}], "d": [1, 2]}
    assert marks == {
        (): 2,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 1): 4,
        ("a", 1, "b"): 4,
        ("a", 1, "c"): 5,
        ("d",): 8,
        ("d", 0): 8,
        ("d", 1): 9,
    }


def test_an_empty_text_is_nothing_on_line_1() -> None:
    assert read_yaml("# only a comment\n", "n") == (None, {(): 1})


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("a: 1\nb: &x 1", 2, "anchors are not allowed (&x)"),
        ("a: 1\nb: *x", 2, "aliases are not allowed (*x)"),
        ("a: 1\n? *x\n: 1", 2, "aliases are not allowed (*x)"),
        (
            "a: 1\nb: !!python/name:os.system",
            2,
            "tags are not allowed (tag:yaml.org,2002:python/name:os.system)",
        ),
        ("a: 1\nb: !mine {}", 2, "tags are not allowed (!mine)"),
        ("a: 1\nb: 2\na: 3", 3, "duplicate key 'a'"),
        ("a:\n  {b: 1,\n   'b': 2}", 3, "duplicate key 'b'"),
        ("a: 1\n2: b", 2, "a key must be text (quote it if it is a number or a word like true)"),
        ("a: 1\n? [b]\n: c", 2, "a key must be text (quote it if it is a number or a word like true)"),
        ("a: 1\nb: .inf", 2, "not a finite number: .inf"),
        ("a: 1\nb: -.INF", 2, "not a finite number: -.INF"),
        ("a: 1\nb: .NaN", 2, "not a finite number: .NaN"),
        ("a: 1\nb: 1e999", 2, "not a finite number: 1e999"),
        ("a: 1\nb: " + "9" * 5000, 2, "a number of more than 30 digits: quote it if it is text"),
        ("a: 1\n--- \nb: 1", 3, "a second document"),
        ("a: 1\nb: \x00", 2, "control characters are not allowed"),
        ("é: 1\nb: \x07", 2, "control characters are not allowed"),
        ("a: 1\nb: \ud800", 2, "not valid Unicode"),
        ("a: 1\nb: c: d", 2, "mapping values are not allowed in this context"),
        ("a: 1\nb: [", 2, "while parsing a flow node, did not find expected node content"),
        ("x" * (MAX_BYTES + 1), 1, f"longer than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text: str, line: int, rule: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(text, "sheet.yaml")
    assert (caught.value.line, caught.value.rule) == (line, rule)
    assert str(caught.value) == f"sheet.yaml:{line}: {rule}"


def test_twenty_levels_are_read_and_one_more_is_refused() -> None:
    read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "n")
    with pytest.raises(YamlError, match="more than 20 levels deep"):
        read_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "n")
    with pytest.raises(YamlError, match="more than 20 levels deep"):
        read_yaml("[" * 500_000, "n")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(st.characters(codec="ascii", min_codepoint=32)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh", min_size=1), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(PLAIN)
def test_json_reads_as_itself_with_a_line_for_every_value(data: object) -> None:
    read, marks = read_yaml(json.dumps(data, indent=1), "n")
    assert read == data
    assert set(marks) == set(_paths(data, ()))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        read_yaml(text, "n")
    except YamlError as error:
        assert 1 <= error.line <= text.count("\n") + text.count("\r") + len(text.splitlines()) + 1


def _paths(data: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(data, dict):
        inner = list(data.items())
    elif isinstance(data, list):
        inner = list(enumerate(data))
    return [path, *(p for key, value in inner for p in _paths(value, (*path, key)))]
