"""The period that a lab believes ordinary: what a scan is compared with."""
