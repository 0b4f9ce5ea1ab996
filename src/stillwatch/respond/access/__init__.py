"""Who may have access: the ownership rule, on-ramp programmes, and recorded authorizations."""
