"""Detectors of other people, written from their published descriptions, to measure stillwatch beside.

None of them is used by a scan. They share one kind of feature (hashed n-grams), so that none needs model weights.
"""
