import pytest

from mqtt_ingest import topics
from mqtt_ingest.topics import BadTopic, Kind, Topic


def test_a_topic_names_shard_gateway_and_kind() -> None:
    assert topics.parse("coldtrail/v1/0a/gw-1/readings") == Topic("0a", "gw-1", Kind.READINGS)
    assert topics.parse("here/0a/网关/cce", root="here") == Topic("0a", "网关", Kind.CCE)


def test_building_is_the_inverse_of_parsing() -> None:
    for kind in Kind:
        topic = Topic("ff", "gw-1", kind, "S 1" if kind in topics.OF_DEVICES else None)
        assert topics.parse(topics.build(topic)) == topic


def test_a_sparkplug_topic_names_the_shard_as_its_group_and_the_gateway_as_its_edge_node() -> None:
    assert topics.parse("spBv1.0/0a/NBIRTH/gw-1") == Topic("0a", "gw-1", Kind.NBIRTH)
    assert topics.parse("spBv1.0/0a/DDATA/gw-1/冰箱") == Topic("0a", "gw-1", Kind.DDATA, "冰箱")
    assert topics.command_topic("gw-1", "0a") == "spBv1.0/0a/NCMD/gw-1"


@pytest.mark.parametrize(
    ("topic", "complaint"),
    [
        ("spBv1.0/0a/NBIRTH", "2 levels"),
        ("spBv1.0/0a/DDATA/gw/device/more", "5 levels"),
        ("spBv1.0/STATE/host", "2 levels"),
        ("spBv1.0/county/NDATA/gw", "shard is 'county'"),
        ("spBv1.0/0a/NDATA/gw/device", "NDATA has a device"),
        ("spBv1.0/0a/DDATA/gw", "DDATA lacks a device"),
        ("spBv1.0/0a/DDATA/gw/", "device is ''"),
        ("spBv1.0/0a/NDATA/", "gateway is ''"),
        ("spBv1.0/0a/readings/gw", "kind is 'readings'; expected one of NBIRTH"),
        ("spBv1.0/0a/DCMD/gw/device", "kind is 'DCMD'"),
    ],
)
def test_a_foreign_sparkplug_topic_is_refused_with_its_reason(topic: str, complaint: str) -> None:
    with pytest.raises(BadTopic, match=complaint):
        topics.parse(topic)


def test_a_topic_without_a_device_cannot_be_built_with_one() -> None:
    with pytest.raises(BadTopic):
        topics.build(Topic("0a", "gw", Kind.READINGS, "device"))
    with pytest.raises(BadTopic):
        topics.build(Topic("0a", "gw", Kind.DDATA, "a/b"))


@pytest.mark.parametrize(
    ("topic", "complaint"),
    [
        ("elsewhere/0a/gw/readings", "outside coldtrail/v1/"),
        ("coldtrail/v1", "outside"),
        ("coldtrail/v1/0a/gw", "2 levels"),
        ("coldtrail/v1/0a/gw/readings/more", "4 levels"),
        ("coldtrail/v1/0A/gw/readings", "shard is '0A'"),
        ("coldtrail/v1/123/gw/readings", "shard is '123'"),
        ("coldtrail/v1/0a\n/gw/readings", "shard is"),
        ("coldtrail/v1/0a//readings", "gateway is ''"),
        ("coldtrail/v1/0a/g\0w/readings", "gateway is"),
        (f"coldtrail/v1/0a/{'g' * 65}/readings", "gateway is"),
        ("coldtrail/v1/0a/gw/reading", "kind is 'reading'; expected one of readings, cce, state, receipt"),
    ],
)
def test_a_foreign_topic_is_refused_with_its_reason(topic: str, complaint: str) -> None:
    with pytest.raises(BadTopic, match=complaint.replace("(", r"\(")):
        topics.parse(topic)


@pytest.mark.parametrize(("shard", "gateway"), [("zz", "gw"), ("0a", "g/w"), ("0a", "+"), ("0a", "#"), ("0a", "")])
def test_no_receipt_topic_can_reach_another_gateway(shard: str, gateway: str) -> None:
    with pytest.raises(BadTopic):
        topics.receipt_topic(gateway, shard)


def test_receipts_have_a_topic_of_their_own() -> None:
    assert topics.receipt_topic("gw", "0a") == "coldtrail/v1/0a/gw/receipt"


def test_a_worker_hears_its_shards_or_all() -> None:
    kinds = ("readings", "cce", "state")
    assert topics.filters() == [f"coldtrail/v1/+/+/{kind}" for kind in kinds]
    assert topics.filters(["00", "ff"], "r") == [f"r/{shard}/+/{kind}" for shard in ("00", "ff") for kind in kinds]
    with pytest.raises(BadTopic):
        topics.filters(["+"])


def test_sparkplug_is_heard_by_shards_too() -> None:
    assert topics.sparkplug_filters(["0a"]) == [
        "spBv1.0/0a/NBIRTH/+",
        "spBv1.0/0a/NDATA/+",
        "spBv1.0/0a/NDEATH/+",
        "spBv1.0/0a/DBIRTH/+/+",
        "spBv1.0/0a/DDATA/+/+",
        "spBv1.0/0a/DDEATH/+/+",
    ]
    assert len(topics.sparkplug_filters()) == 6
    with pytest.raises(BadTopic):
        topics.sparkplug_filters(["#"])
