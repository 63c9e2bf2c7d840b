"""The data-flow record tells every way out and every column."""

import importlib
import json
import pkgutil
import re
from typing import get_args

import pytest

from bot import channels
from bot.launch import OPERATORS
from bot.rights.dataflow import CHANNELS, OTHERS, document, kept, markdown
from flows.messages import ChannelName
from storage.rights.classes import CLASSES
from storage.schema import metadata


def test_every_channel_that_sends_is_told() -> None:
    assert set(CHANNELS) == set(get_args(ChannelName))
    sending = {
        module.name
        for module in pkgutil.iter_modules(channels.__path__)
        if hasattr(importlib.import_module(f"bot.channels.{module.name}"), "open_channel")
    }
    operators = {name for names in OPERATORS.values() for name in names}
    assert sending
    # A module is called after its operator, or after the one channel it is.
    assert sending - operators - set(CHANNELS) == set()


@pytest.mark.parametrize("channel", get_args(ChannelName))
def test_a_channel_tells_each_operator_an_agreement_is_asked_for(channel: ChannelName) -> None:
    told = re.sub(r"[^a-z]", "", CHANNELS[channel].to.lower())
    assert OPERATORS[channel]
    assert [name for name in OPERATORS[channel] if name not in told] == []


def test_every_field_that_leaves_has_a_class_and_every_way_a_country() -> None:
    for leaving in (*CHANNELS.values(), *OTHERS):
        assert leaving.country
        assert leaving.fields
        assert set(leaving.fields.values()) <= set(CLASSES)


def test_every_column_is_in_the_record_once() -> None:
    for each in kept():
        told = [*each.sealed, *(name for names in each.plain.values() for name in names)]
        assert sorted(told) == sorted(column.name for column in metadata.tables[each.table].columns)
    assert {each.table for each in kept()} == set(metadata.tables)


def test_the_record_says_what_this_site_has_set_up() -> None:
    page = markdown(frozenset({"sms"}))
    assert page.count("(not set up here)") == len(CHANNELS) - 1
    assert "| `answers` | household | text |" in page
    found = json.loads(json.dumps(document(frozenset({"sms"}))))
    assert [c["channel"] for c in found["channels"] if c["on"]] == ["sms"]
