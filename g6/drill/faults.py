"""The table of faults: what each alert is for, brought about for real."""

from collections.abc import Mapping

from g6.drill.fault import Fault
from g6.drill.faults_agent import AGENT
from g6.drill.faults_broker import BROKER
from g6.drill.faults_market import MARKET
from g6.drill.faults_storage import STORAGE

FAULTS: Mapping[str, Fault] = {**AGENT, **BROKER, **STORAGE, **MARKET}
