"""The node: one process that receives requests, runs detection beside itself, and answers gateways and analysts."""
