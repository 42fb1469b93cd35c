"""Pure rules of cost: no I/O, no clock."""
