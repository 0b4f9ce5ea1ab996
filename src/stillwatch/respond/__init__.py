"""Under a lab's hands: cases, decisions, access, gateways, the node, and the store that keeps them."""
