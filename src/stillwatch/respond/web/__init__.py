"""What every HTTP interface of the node shares: who may call it, how it is described, how it refuses."""
