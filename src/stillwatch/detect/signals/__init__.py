"""Tests of a cluster's pooled demand, one file each, named for what is seen."""
