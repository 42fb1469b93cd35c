"""What docker-compose.yml mounts and runs besides Tandem itself."""
