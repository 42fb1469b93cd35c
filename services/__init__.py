"""The services. They speak to each other only through events and never import one another."""
