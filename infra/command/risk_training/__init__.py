"""Training and judging the model of avoidable admissions; nothing of it is needed to serve one."""
