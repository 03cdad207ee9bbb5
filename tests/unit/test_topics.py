import pytest

from mqtt_ingest import topics
from mqtt_ingest.topics import BadTopic, Kind, Topic


def test_a_topic_names_shard_gateway_and_kind() -> None:
    assert topics.parse("coldtrail/v1/0a/gw-1/readings") == Topic("0a", "gw-1", Kind.READINGS)
    assert topics.parse("here/0a/网关/cce", root="here") == Topic("0a", "网关", Kind.CCE)


def test_building_is_the_inverse_of_parsing() -> None:
    for kind in Kind:
        topic = Topic("ff", "gw-1", kind)
        assert topics.parse(topics.build(topic)) == topic


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
    assert topics.filters() == ["coldtrail/v1/+/+/readings", "coldtrail/v1/+/+/cce"]
    assert topics.filters(["00", "ff"], "r") == ["r/00/+/readings", "r/00/+/cce", "r/ff/+/readings", "r/ff/+/cce"]
    with pytest.raises(BadTopic):
        topics.filters(["+"])
