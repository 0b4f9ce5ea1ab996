"""Simulated labs: ordinary customers, campaigns against them, and the logs that both leave behind."""

from stillwatch.lab.simulation.loading import at_labs, load_scenario, parse_scenario, scenario_names
from stillwatch.lab.simulation.running import LabSummary, SimulationSummary, simulate
from stillwatch.lab.simulation.scenario import Scenario

__all__ = [
    "LabSummary",
    "Scenario",
    "SimulationSummary",
    "at_labs",
    "load_scenario",
    "parse_scenario",
    "scenario_names",
    "simulate",
]
