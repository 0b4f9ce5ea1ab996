"""Requests as they happen: receivers, the durable spool, and the way from it into detection's state."""
